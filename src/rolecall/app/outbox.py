"""The outbox of webhooks, as the settings say, and what is measured of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence

from rolecall.domain.secrets.sealing import Sealer
from rolecall.domain.webhooks.model import Poster, Standing
from rolecall.domain.webhooks.outbox import Outbox
from rolecall.measures import Reading
from rolecall.metrics import Metrics
from rolecall.settings import Settings
from rolecall.store import Store


def background(
    settings: Settings, store: Store, sealer: Sealer, metrics: Metrics
) -> Sequence[Callable[[], Coroutine[None, None, None]]]:
    """What posts until it is cancelled; nothing if the operator turned it off."""

    def poster() -> Poster:
        from rolecall.posting import HttpPoster  # with its library, which is not needed without a webhook

        return HttpPoster(settings.webhook_ca_file, settings.webhook_seconds)

    if not settings.webhooks:
        return ()
    figures = WebhookFigures()
    metrics.watch(figures.read)
    return (Outbox(store.webhooks, store.audit, sealer, poster, figures).run,)


class WebhookFigures:
    """`domain.webhooks.model.Figures`: the posts of this process, and how far the webhooks of the store are."""

    def __init__(self) -> None:
        self._posts: Counter[tuple[str, str]] = Counter()
        self._standings: Sequence[Standing] = ()

    def posted(self, webhook: str, *, confirmed: bool) -> None:
        self._posts[webhook, "confirmed" if confirmed else "failed"] += 1

    def webhooks(self, standings: Sequence[Standing]) -> None:
        self._standings = standings

    def read(self) -> Iterator[Reading]:
        for labels, number in self._posts.items():
            yield "rolecall_webhook_posts_total", labels, number
        for standing in self._standings:
            labels_of = (standing.name,)
            yield "rolecall_webhook_lag_records", labels_of, standing.lag_records
            yield "rolecall_webhook_lag_seconds", labels_of, standing.lag_seconds
            yield "rolecall_webhook_paused", labels_of, bool(standing.paused)
