"""The cache: Redis while it answers, nothing while it does not.

No truth lives in the cache, so a Redis that hangs must only cost a miss. After one failure it is left alone for a
while, so that a request pays the time-out once and not at every look.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
T = TypeVar("T")

REST_S = 5.0


class PatientRedisCache(RedisCache):
    """Django's Redis cache whose failures are misses. ``OPTIONS`` sets the socket time-outs."""

    _resting_until = 0.0

    def _try(self, call: Callable[[], T], missing: T) -> T:
        if time.monotonic() < PatientRedisCache._resting_until:
            return missing
        try:
            return call()
        except (RedisError, OSError) as error:
            PatientRedisCache._resting_until = time.monotonic() + REST_S
            log.warning("cache.away", error=type(error).__name__)
            return missing

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._try(lambda: super(PatientRedisCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        self._try(lambda: super(PatientRedisCache, self).set(key, value, *args, **kwargs), None)

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        return self._try(lambda: super(PatientRedisCache, self).add(key, value, *args, **kwargs), True)

    def touch(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        return self._try(lambda: super(PatientRedisCache, self).touch(key, *args, **kwargs), False)

    def delete(self, key: Any, version: Any = None) -> bool:
        return self._try(lambda: super(PatientRedisCache, self).delete(key, version), False)

    def get_many(self, keys: Any, version: Any = None) -> dict[Any, Any]:
        return self._try(lambda: super(PatientRedisCache, self).get_many(keys, version), {})

    def has_key(self, key: Any, version: Any = None) -> bool:
        return self._try(lambda: super(PatientRedisCache, self).has_key(key, version), False)

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return self._try(lambda: super(PatientRedisCache, self).incr(key, delta, version), delta)

    def set_many(self, data: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return self._try(lambda: super(PatientRedisCache, self).set_many(data, *args, **kwargs), [])

    def delete_many(self, keys: Any, version: Any = None) -> None:
        self._try(lambda: super(PatientRedisCache, self).delete_many(keys, version), None)

    def clear(self) -> None:
        self._try(lambda: super(PatientRedisCache, self).clear(), None)
