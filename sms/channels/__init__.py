"""Ways a message leaves, one file each, found through the registry of ``sms.channels.base``."""
