"""What gunicorn reads where it is started here; the command line says the rest."""

logger_class = "config.lib.access_log.MaskedLogger"
