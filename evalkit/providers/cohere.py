"""`cohere/*`: Cohere's rerankers and embedders, any name that its API knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from evalkit.data.render import estimate_tokens
from evalkit.errors import InputError, ProviderError
from evalkit.pipelines.ports import Answer, Matrix, PlanLine, Progress, Request, Role
from evalkit.providers import answers, asking, catalog, planning
from evalkit.providers.asking import Asking, Part, Wire
from evalkit.providers.base import Context
from evalkit.providers.cohere_account import Account
from evalkit.providers.cohere_client import CohereClient
from evalkit.records import ScoreSpace
from evalkit.transport.budget import Cost
from evalkit.transport.ledger import Entry, request_key
from evalkit.transport.pool import Call, Received
from evalkit.words import plural

TEXTS_A_CALL = 96
INPUT_TYPE: Mapping[Role, str] = {"query": "search_query", "document": "search_document"}


class CohereReranker:
    """A Cohere reranker; `score_space` is `unit` until a score outside [0, 1] shows another one."""

    score_space: ScoreSpace = "unit"

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self._account = Account(name, context)
        self.address = self._account.base_url
        self._known = self._account.known("rerank")
        cut = self._account.settings.max_tokens_per_doc
        self._cut = cut or catalog.DEFAULT_MAX_TOKENS_PER_DOC
        self._parameters = {"max_tokens_per_doc": cut} if cut else {}
        self._asked: Asking | None = None

    def rerank(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Answer each request: from the ledger, or with one call each (more above 1,000 documents)."""
        asked, account = self._asking(requests), self._account
        asking.refuse_offline(account.context, self.name, len(asked.missing), len(asked.by_key))
        if not asked.missing:
            yield from map(self._seen, asked.answers(account.pool("rerank"), self._wire(None)))
            return
        account.warn(planning.rerank_warnings(self.name, self._known, requests, self._cut))
        with account.client() as client:
            yield from map(self._seen, asked.answers(account.pool("rerank"), self._wire(client)))

    def plan_rerank(self, requests: Sequence[Request]) -> PlanLine:
        """Say what `rerank` would send."""
        asked = self._asking(requests)
        costs = [self._price(part) for part in asked.missing]
        return planning.line(
            self.name,
            "rerank",
            calls=len(asked.by_key),
            missing=len(costs),
            cost=planning.total(costs, self._known),
            tokens=sum(planning.rerank_tokens(part, self._cut) for part in asked.missing),
            minutes=planning.minutes(len(costs), self._account.settings.requests_per_minute),
            warnings=[
                *planning.rerank_warnings(self.name, self._known, requests, self._cut),
                *planning.trial_warning(self.name, len(costs), self._account.settings.rate),
            ],
        )

    def _asking(self, requests: Sequence[Request]) -> Asking:
        """Return what the ledger has of `requests` and what it lacks; a plan and its run look it up once."""
        if self._asked is None or self._asked.requests is not requests:
            account = self._account
            identity = {"base_url": account.base_url, "model": account.model, "parameters": self._parameters}
            self._asked = Asking(requests, account.context, identity)
        return self._asked

    def _wire(self, client: CohereClient | None) -> Wire:
        def send(part: Part) -> Received:
            assert client is not None, "what the ledger has is not sent"  # noqa: S101  an invariant of ours
            return client.rerank(self._account.model, part.query, part.documents, **self._parameters)

        sdk = client.sdk if client else ""
        account = self._account
        return Wire(account.model, account.base_url, self._parameters, send, self._price, self._bill, sdk)

    def _price(self, part: Part) -> Cost:
        return catalog.rerank_cost(self._known, part.query, part.documents, self._cut)

    def _bill(self, part: Part, body: bytes) -> Cost:
        """Read what was billed: search units, or tokens; the estimate where the response does not say."""
        units = answers.billed_units(body)
        name = "search_units" if self._known.unit == "search" else "input_tokens"
        if name in units:
            return self._known.cost(units[name])
        self._account.warn([planning.not_told(self.name, name)])
        return self._price(part)

    def _seen(self, answer: Answer) -> Answer:
        outside = asking.outside_unit(answer)
        if outside:
            self.score_space = "logit"
            self._account.warn([f"{self.name}: scores outside [0, 1] are kept as they are, labelled logit"])
        return answer


class CohereEmbedder:
    """A Cohere embedder: unit vectors, 96 texts a call, kept per text."""

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self._account = Account(name, context)
        self.address = self._account.base_url
        self._known = self._account.known("embed")
        self._dimension = self._account.settings.output_dimension
        self._asked: dict[Role, tuple[Sequence[str], dict[str, str], dict[str, Entry]]] = {}
        if self._dimension and self._known.dimensions and self._dimension not in self._known.dimensions:
            offered = ", ".join(map(str, self._known.dimensions))
            raise InputError(
                f"{name} has no output_dimension {self._dimension}, only {offered}. Change it in the suite"
            )

    def embed(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        """Return one row a text.

        Raises:
            ProviderError: some texts could not be embedded; the others are kept for the next run.
            InputError: a text is empty or no valid Unicode.
        """
        self._refuse(texts)
        account = self._account
        keys, found = self._looked_up(texts, role)
        missing = [text for text, key in keys.items() if key not in found]
        account.context.usage.from_ledger += len(keys) - len(missing)
        asking.refuse_offline(account.context, self.name, len(missing), len(keys))
        if missing:
            account.warn(planning.embed_warnings(self.name, self._known, missing))
            found = found | self._ask(missing, keys, role, progress)
        return self._unit_rows([found[keys[text]] for text in texts])

    def plan_embed(self, texts: Sequence[str], role: Role) -> PlanLine:
        """Say what `embed` would send."""
        keys, found = self._looked_up(texts, role)
        missing = [text for text, key in keys.items() if key not in found]
        cost = catalog.embed_cost(self._known, missing)
        calls, needed = -(-len(keys) // TEXTS_A_CALL), -(-len(missing) // TEXTS_A_CALL)
        own = self._account.settings
        return planning.line(
            self.name,
            "embed",
            calls=calls,
            missing=needed,
            cost=cost,
            tokens=sum(map(estimate_tokens, missing)),
            minutes=max(
                planning.minutes(needed, own.requests_per_minute),
                planning.minutes(len(missing), own.inputs_per_minute),
            ),
            warnings=planning.embed_warnings(self.name, self._known, missing),
        )

    def _looked_up(self, texts: Sequence[str], role: Role) -> tuple[dict[str, str], dict[str, Entry]]:
        """Return the key of each text and what the ledger has; a plan and its run look it up once."""
        known = self._asked.get(role)
        if known is None or known[0] is not texts:
            keys = {text: self._key(text, role) for text in dict.fromkeys(texts)}
            known = self._asked[role] = texts, keys, self._account.context.ledger.get_many(keys.values())
        return known[1:]

    def _ask(
        self, missing: Sequence[str], keys: Mapping[str, str], role: Role, progress: Progress | None
    ) -> dict[str, Entry]:
        batches = [missing[start : start + TEXTS_A_CALL] for start in range(0, len(missing), TEXTS_A_CALL)]
        found: dict[str, Entry] = {}
        failures: list[str] = []
        account = self._account
        with account.client() as client:
            calls = [self._call(client, batch, [keys[text] for text in batch], role) for batch in batches]
            for outcome in account.pool("embed", account.settings.inputs_per_minute).run(calls):
                found |= outcome.entries
                if outcome.failure:
                    failures.append(outcome.failure)
                if progress:
                    progress(len(found), len(missing))
        if failures:
            raise ProviderError(
                f"{self.name}: {len(failures)} of {plural(len(batches), 'call')} for embeddings failed: "
                f"{failures[0]}. The others are kept: run again to resume"
            )
        return found

    def _call(self, client: CohereClient, batch: Sequence[str], keys: Sequence[str], role: Role) -> Call:
        account = self._account
        options = {"output_dimension": self._dimension} if self._dimension else {}
        parameters = {"input_type": INPUT_TYPE[role], **options}

        def accept(received: Received) -> list[Entry]:
            rows = answers.read_vectors(received.body, len(batch), self._dimension)
            meta = asking.response_meta(received, account.model, parameters, client.sdk)
            meta |= {"texts_in_call": len(batch)}
            return [
                Entry(key, "embed", account.base_url, row.astype("<f4").tobytes(), meta)
                for key, row in zip(keys, rows, strict=True)
            ]

        def raw(received: Received) -> Entry:
            meta = asking.response_meta(received, account.model, parameters, client.sdk)
            return Entry(request_key({"texts": list(keys)}), "embed", account.base_url, received.body, meta)

        return Call(
            tuple(keys),
            catalog.embed_cost(self._known, batch),
            lambda: client.embed(account.model, batch, INPUT_TYPE[role], **options),
            accept,
            raw,
            lambda body: self._bill(batch, body),
            inputs=len(batch),
        )

    def _bill(self, batch: Sequence[str], body: bytes) -> Cost:
        units = answers.billed_units(body)
        if "input_tokens" in units:
            return self._known.cost(units["input_tokens"])
        self._account.warn([planning.not_told(self.name, "input_tokens")])
        return catalog.embed_cost(self._known, batch)

    def _key(self, text: str, role: Role) -> str:
        account = self._account
        return request_key(
            {
                "base_url": account.base_url,
                "operation": "embed",
                "model": account.model,
                "input_type": INPUT_TYPE[role],
                "output_dimension": self._dimension,
                "text": text,
            }
        )

    def _refuse(self, texts: Sequence[str]) -> None:
        empty = next((number for number, text in enumerate(texts) if not text.strip()), None)
        broken = next((number for number, text in enumerate(texts) if not asking.is_unicode(text)), None)
        if empty is not None:
            raise InputError(f"{self.name}: text {empty} is empty and cannot be embedded. Leave it out")
        if broken is not None:
            raise InputError(
                f"{self.name}: text {broken} holds half a surrogate pair: it is no valid Unicode"
            )

    def _unit_rows(self, entries: Sequence[Entry]) -> Matrix:
        rows = [np.frombuffer(entry.body, dtype="<f4") for entry in entries]
        lengths = {len(row) for row in rows}
        if len(lengths) > 1:
            raise ProviderError(
                f"{self.name} returned embeddings of {sorted(lengths)} numbers, which cannot be compared. "
                "Set `output_dimension` in the suite under `providers: {cohere: ...}` and run again"
            )
        matrix = np.array(rows, dtype=np.float32)
        return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), dtype=np.float32)
