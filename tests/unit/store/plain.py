"""What a store should hold and answer, in the plainest form: by going through all of it."""

import operator
from collections.abc import Sequence
from typing import Any, assert_never

import attrs

from lsd.conversation import encode_json, id_time_ms
from lsd.store import (
    AllOf,
    AnyOf,
    ByMetric,
    ByRelevance,
    ByTime,
    Demonstrated,
    FeedbackRecord,
    Filter,
    InferenceQuery,
    InferenceRecord,
    MetricGiven,
    MetricIs,
    ModelInferenceRecord,
    Not,
    OrderTerm,
    Selection,
    TagIs,
    TimeIs,
)

COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}


@attrs.define(eq=False)
class Plain:
    """Records by their id or target."""

    inferences: dict[str, InferenceRecord] = attrs.field(factory=dict)
    calls: dict[str, list[ModelInferenceRecord]] = attrs.field(factory=dict)
    failed: dict[str, list[ModelInferenceRecord]] = attrs.field(factory=dict)
    feedback: dict[str, list[FeedbackRecord]] = attrs.field(factory=dict)

    def expire(self, now_ms: int, bodies_days: int | None, records_days: int | None) -> None:
        """Removes what is older than so many days."""

        def is_old(own_id: str, days: int | None) -> bool:
            return days is not None and id_time_ms(own_id) < now_ms - days * 86_400_000

        for own_id in [each for each in self.inferences if is_old(each, records_days)]:
            record = self.inferences.pop(own_id)
            self.calls.pop(own_id, None)
            self.feedback.pop(own_id, None)
            if all(each.episode_id != record.episode_id for each in self.inferences.values()):
                self.feedback.pop(record.episode_id, None)
        for episode_id, calls in self.failed.items():
            kept = [call for call in calls if not is_old(call.inference_id, records_days)]
            self.failed[episode_id] = [self.without_body(e, is_old, bodies_days) for e in kept]
        for own_id, record in self.inferences.items():
            self.inferences[own_id] = self.without_body(record, is_old, bodies_days)
            calls = self.calls.get(own_id, [])
            self.calls[own_id] = [self.without_body(e, is_old, bodies_days) for e in calls]

    def without_body(self, record: Any, is_old: Any, days: int | None) -> Any:
        """The record, without its body if its inference is old."""
        return attrs.evolve(record, body=None) if is_old(record.inference_id, days) else record

    def newest(self, selection: Selection) -> list[InferenceRecord]:
        """Heads of the selected inferences, newest first."""
        found = [each for each in self.inferences.values() if self.is_selected(each, selection)]
        found.sort(key=lambda record: record.inference_id, reverse=True)
        return [attrs.evolve(record, body=None) for record in found]

    def select(self, query: InferenceQuery) -> list[InferenceRecord]:
        """Heads of the inferences of a query, in its order."""
        found = self.newest(query.selection)
        if query.before is not None:
            found = [each for each in found if each.inference_id < query.before][: query.limit]
        elif query.after is not None:
            found = [each for each in found if each.inference_id > query.after]
            found = [] if query.limit == 0 else found[-(query.limit or len(found)) :]
        for term in reversed(query.order):
            has_key = [each for each in found if self.sort_key(each, term, query) is not None]
            rest = [each for each in found if self.sort_key(each, term, query) is None]
            has_key.sort(
                key=lambda record: self.sort_key(record, term, query),
                reverse=not term.ascending,
            )
            found = has_key + rest
        end = None if query.limit is None else query.offset + query.limit
        return found[query.offset : end]

    def sort_key(self, record: InferenceRecord, term: OrderTerm, query: InferenceQuery) -> Any:
        """What an inference is sorted by; None sorts last."""
        match term:
            case ByTime():
                return record.inference_id
            case ByMetric():
                value = self.value(record, term.metric_name, term.level)
                return None if value is None else (not isinstance(value, bool), value)
            case ByRelevance():
                return self.occurrences(record, query.selection.search or "")
            case never:
                assert_never(never)

    def is_selected(self, record: InferenceRecord, selection: Selection) -> bool:
        """Whether an inference is one of those meant."""
        return (
            selection.function_name in (None, record.function_name)
            and selection.variant_name in (None, record.variant_name)
            and selection.episode_id in (None, record.episode_id)
            and (selection.filter is None or self.holds(selection.filter, record))
            and (not selection.search or self.occurrences(record, selection.search) > 0)
        )

    def holds(self, condition: Filter, record: InferenceRecord) -> bool:
        """Whether a filter holds for an inference."""
        match condition:
            case MetricIs():
                value = self.value(record, condition.metric_name, condition.level)
                if value is None or type(value) is not type(condition.value):
                    return False
                return bool(COMPARE[condition.comparison](value, condition.value))
            case MetricGiven():
                return self.value(record, condition.metric_name, condition.level) is not None
            case Demonstrated():
                return any(
                    each.kind == "demonstration" for each in self.entries(record, "inference")
                )
            case TagIs(key=key, value=value, equal=equal):
                return key in record.tags and (record.tags[key] == value) is equal
            case TimeIs():
                time_ns = id_time_ms(record.inference_id) * 1_000_000
                return bool(COMPARE[condition.comparison](time_ns, condition.time_ns))
            case AllOf(children):
                return all(self.holds(child, record) for child in children)
            case AnyOf(children):
                return any(self.holds(child, record) for child in children)
            case Not(child):
                return not self.holds(child, record)
            case never:
                assert_never(never)

    def value(self, record: InferenceRecord, metric_name: str, level: Any) -> Any:
        """The latest value of a metric; None if there is none."""
        entries = [each for each in self.entries(record, level) if each.metric_name == metric_name]
        return entries[-1].value if entries else None

    def entries(self, record: InferenceRecord, level: str) -> Sequence[FeedbackRecord]:
        """The feedback on an inference or its episode, oldest first."""
        target = record.inference_id if level == "inference" else record.episode_id
        return self.feedback.get(target, [])

    def occurrences(self, record: InferenceRecord, search: str) -> int:
        """How often a text occurs in input and output."""
        body = self.inferences[record.inference_id].body
        needle = encode_json(search).decode().lower()[1:-1]
        if body is None or not needle:
            return 0
        texts = (encode_json(value).decode().lower() for value in (body.input, body.output))
        return sum(text.count(needle) for text in texts)
