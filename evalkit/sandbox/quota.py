"""The key and its quota: the rate limits of trial and production keys, with the bodies that Cohere sends."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from evalkit.providers.settings import SANDBOX_PREFIX
from evalkit.sandbox.requests import Rejected

MINUTE = 60.0
TRIAL_PREFIX = f"{SANDBOX_PREFIX}trial"


@dataclass
class Quota:
    """Calls of one endpoint: at most `per_minute` in any 60 seconds, `per_month` in all; None is no limit."""

    per_minute: int | None = None
    per_month: int | None = None
    _recent: deque[float] = field(default_factory=deque)
    _used: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, *, trial: bool) -> dict[str, str]:
        """Count a call and return the headers that tell of the limits (a trial key's answers only).

        Raises:
            Rejected: 429, and without those headers, as recorded.
        """
        with self._lock:
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - MINUTE:
                self._recent.popleft()
            if self.per_month is not None and self._used >= self.per_month:
                raise Rejected(429, self._past("month", self.per_month))
            if self.per_minute is not None and len(self._recent) >= self.per_minute:
                raise Rejected(429, self._past("minute", self.per_minute))
            self._recent.append(now)
            self._used += 1
            return self._headers() if trial else {}

    def _headers(self) -> dict[str, str]:
        headers = {}
        if self.per_month is not None:
            headers["x-endpoint-monthly-call-limit"] = str(self.per_month)
        if self.per_minute is not None:
            headers["x-trial-endpoint-call-limit"] = str(self.per_minute)
            headers["x-trial-endpoint-call-remaining"] = str(self.per_minute - len(self._recent))
        return headers

    def _past(self, period: str, limit: int) -> str:
        return f"You are using a Trial key, which is limited to {limit} API calls / {period}."


def check_key(authorization: str) -> str:
    """Return the key of an Authorization header.

    Raises:
        Rejected: 401. Only keys that start with `sandbox-` are taken, so that no real key is ever used here.
    """
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.startswith(SANDBOX_PREFIX):
        raise Rejected(401, "invalid api token")
    return key
