"""Reactions to billing, and to our own news of routers."""

from billing.events import SubscriptionChanged
from ispbilling.kernel.events import handler
from network import services
from network.events import RouterCameUp


@handler(SubscriptionChanged)
def lines_want(event: SubscriptionChanged) -> None:
    services.lines_refresh(subscription_id=event.subscription_id)


@handler(RouterCameUp)
def router_catch_up(event: RouterCameUp) -> None:
    services.router_wake(router_id=event.router_id)
