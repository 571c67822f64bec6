"""Alerts by e-mail, through a mail server nearby."""

import asyncio
import email.policy
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from thermo_core.text import clean
from thermo_core.wearable.profile import NOTICE
from thermo_hub.alerts.channels.channel import DeliveryError, Message
from thermo_hub.channel_settings import Mail
from thermo_hub.secret_files import secret_of

TIMEOUT_S = 20.0
LONGEST_SUBJECT = 120


class MailChannel:
    """Tells a list of people.

    Args:
        settings: whom, and through what server.

    Raises:
        StorageError, UsageError: its password cannot be read.
    """

    follows = False

    def __init__(self, settings: Mail) -> None:
        self.name = settings.name
        self.what = f"e-mail to {', '.join(settings.to)}"
        self._settings = settings
        self._password = secret_of(settings.password_file) if settings.password_file else ""

    async def send(self, message: Message) -> str:
        """As `Channel`."""
        return await asyncio.to_thread(self._send, message)

    def _send(self, message: Message) -> str:
        settings = self._settings
        kind = smtplib.SMTP_SSL if settings.security == "tls" else smtplib.SMTP
        try:
            with kind(settings.host, settings.port, timeout=TIMEOUT_S) as server:
                if settings.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if settings.user:
                    server.login(settings.user, self._password)
                refused = server.send_message(written(settings, message))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryError(clean(str(error) or type(error).__name__, 200)) from error
        if refused:
            raise DeliveryError(f"refused for {', '.join(refused)}"[:200])
        return f"taken for {len(settings.to)} addresses"


def written(settings: Mail, message: Message) -> EmailMessage:
    """The e-mail; what a wearable calls itself can make no header of its own."""
    made = EmailMessage(policy=email.policy.SMTP)
    made["From"], made["To"] = settings.sender, ", ".join(settings.to)
    made["Subject"] = clean(message.subject(), LONGEST_SUBJECT)
    made["Date"] = format_datetime(datetime.fromtimestamp(message.at_ms / 1000, UTC))
    made["Message-ID"] = f"<{message.delivery}@{settings.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    alert = message.alert
    value = "" if alert["value"] is None else f"{alert['value']:.6g} {alert['unit']}".strip()
    lines = [
        clean(str(alert["text"])),
        "",
        f"Wearable: {clean(message.label or str(alert['wearable'])) or 'none'}",
        f"Rule: {alert['rule']}, version {alert['version']}, {clean(str(alert['condition']))}"
        + (" (a threshold of this wearer)" if alert["personal"] else ""),
        *([f"Value: {value}"] if value else []),
        f"State: {message.step}",
        f"Since: {datetime.fromtimestamp(alert['raised_ms'] / 1000, UTC).isoformat(timespec='seconds')}",
        "",
        NOTICE,
    ]
    made.set_content("\n".join(lines))
    return made
