"""Which vehicle of ours each pulled one is, and what would change; the same for report and update.

Manual entries win: a vehicle that a person has entered, or taken over, keeps its own fields, and
only gets what fits it besides (`merge`). One whose name is another one's is left out (`skip`).
"""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psycopg

_MATCH = """
CREATE TEMPORARY TABLE matched ON COMMIT DROP AS
WITH staged AS (
    SELECT *, row_number() OVER (
        PARTITION BY make, model, generation, variant ORDER BY external_id) AS nth
    FROM driveright_vehicle WHERE sync = %(sync)s AND is_valid
)
SELECT staged.external_id, staged.make, staged.model, staged.generation, staged.variant,
    staged.built_from, staged.built_until, staged.is_partial,
    CASE
        WHEN known.source = 'manual' THEN known.id
        WHEN named.source = 'manual' THEN named.id
        WHEN nth > 1 OR (named.id <> known.id) THEN NULL
        WHEN known.id IS NULL AND named.id IS NOT NULL AND other.external_id IS NOT NULL THEN NULL
        ELSE coalesce(known.id, named.id)
    END AS vehicle_id,
    CASE
        WHEN known.source = 'manual' OR named.source = 'manual' THEN 'merge'
        WHEN nth > 1 OR (named.id <> known.id) THEN 'skip'
        WHEN known.id IS NULL AND named.id IS NOT NULL AND other.external_id IS NOT NULL THEN 'skip'
        WHEN known.id IS NULL AND named.id IS NULL THEN 'add'
        ELSE 'update'
    END AS action
FROM staged
LEFT JOIN vehicle AS known USING (external_id)
LEFT JOIN vehicle AS named ON (named.make, named.model, named.generation, named.variant)
    = (staged.make, staged.model, staged.generation, staged.variant)
LEFT JOIN driveright_vehicle AS other
    ON other.sync = %(sync)s AND other.external_id = named.external_id
"""
# Of the same fact twice, one; they come in the order in which they were pulled.
_WANT = """
CREATE TEMPORARY TABLE wanted ON COMMIT DROP AS
SELECT DISTINCT ON (external_id, product_type, position, coalesce(tyre_width, 0),
    coalesce(tyre_aspect, 0), coalesce(tyre_diameter, 0), coalesce(wheel_diameter, 0),
    coalesce(wheel_width, 0))
    matched.vehicle_id, external_id, product_type, position, is_oe, tyre_width, tyre_aspect,
    tyre_diameter, wheel_diameter, wheel_width, pcd, centre_bore, offset_min, offset_max
FROM matched JOIN driveright_fitment AS fitment USING (external_id)
WHERE fitment.sync = %(sync)s AND matched.action <> 'skip'
"""
_INDEX = "CREATE INDEX ON wanted (vehicle_id)"
_GONE = """
CREATE TEMPORARY TABLE gone ON COMMIT DROP AS
SELECT vehicle.id, vehicle.external_id FROM vehicle
LEFT JOIN driveright_vehicle AS staged
    ON staged.sync = %(sync)s AND staged.external_id = vehicle.external_id
LEFT JOIN matched ON matched.external_id = vehicle.external_id
LEFT JOIN matched AS renumbered ON renumbered.vehicle_id = vehicle.id
WHERE vehicle.source = 'driveright' AND vehicle.active
    AND renumbered.vehicle_id IS NULL
    AND (staged.external_id IS NULL
        -- A person has entered it by that name: theirs stays.
        OR (matched.action = 'merge' AND matched.vehicle_id <> vehicle.id))
"""
_ANALYZE = ("ANALYZE matched", "ANALYZE wanted", "ANALYZE gone")
_ALIKE = """
    found.vehicle_id = wanted.vehicle_id AND found.product_type = wanted.product_type
    AND found.position = wanted.position
    AND coalesce(found.tyre_width, 0) = coalesce(wanted.tyre_width, 0)
    AND coalesce(found.tyre_aspect, 0) = coalesce(wanted.tyre_aspect, 0)
    AND coalesce(found.tyre_diameter, 0) = coalesce(wanted.tyre_diameter, 0)
    AND coalesce(found.wheel_diameter, 0) = coalesce(wanted.wheel_diameter, 0)
    AND coalesce(found.wheel_width, 0) = coalesce(wanted.wheel_width, 0)
"""
_DIFFERS = """
    (vehicle.external_id, vehicle.make, vehicle.model, vehicle.generation, vehicle.variant,
        vehicle.built_from, vehicle.built_until, vehicle.active)
    IS DISTINCT FROM (matched.external_id, matched.make, matched.model, matched.generation,
        matched.variant, matched.built_from, matched.built_until, true)
"""
_FITMENT_DIFFERS = """
    (found.is_oe, found.pcd, found.centre_bore, found.offset_min, found.offset_max)
    IS DISTINCT FROM (wanted.is_oe, wanted.pcd, wanted.centre_bore, wanted.offset_min,
        wanted.offset_max)
"""
_CHANGES = """
INSERT INTO driveright_change (sync, external_id, kind, vehicle, what)
WITH more AS (
    SELECT matched.external_id,
        count(*) FILTER (WHERE found.id IS NULL) AS added,
        count(*) FILTER (WHERE found.source = 'driveright' AND {fitment_differs}) AS altered
    FROM matched JOIN wanted USING (external_id) LEFT JOIN fitment AS found ON {alike}
    GROUP BY 1
), fewer AS (
    SELECT matched.external_id, count(*) AS removed
    FROM matched JOIN fitment AS found USING (vehicle_id)
    WHERE found.source = 'driveright' AND NOT matched.is_partial AND matched.action <> 'skip'
        AND NOT EXISTS (SELECT FROM wanted WHERE {alike})
    GROUP BY 1
), compared AS (
    SELECT matched.*, coalesce(added, 0) AS added, coalesce(altered, 0) AS altered,
        coalesce(removed, 0) AS removed,
        action = 'update' AND {differs} AS is_changed
    FROM matched LEFT JOIN vehicle ON vehicle.id = matched.vehicle_id
    LEFT JOIN more ON more.external_id = matched.external_id
    LEFT JOIN fewer ON fewer.external_id = matched.external_id
)
SELECT %(sync)s, external_id, CASE action WHEN 'add' THEN 'added' ELSE 'changed' END,
    concat_ws(' ', make, model, generation, variant),
    concat_ws(', ', CASE WHEN action = 'merge' THEN 'entered by a person' END,
        CASE WHEN is_changed THEN 'names or years' END,
        nullif('+' || added || ' fitments', '+0 fitments'),
        nullif('-' || removed || ' fitments', '-0 fitments'),
        CASE WHEN altered > 0 THEN altered || ' fitments altered' END)
FROM compared
WHERE action = 'add' OR (action <> 'skip' AND (is_changed OR added + altered + removed > 0))
UNION ALL
SELECT %(sync)s, gone.external_id, 'retired', concat_ws(' ', make, model, generation, variant),
    'set inactive' FROM gone JOIN vehicle USING (id)
ON CONFLICT (sync, external_id) DO UPDATE SET kind = excluded.kind, what = excluded.what
"""
_SKIPPED = """
INSERT INTO driveright_problem (sync, external_id, problem)
SELECT %(sync)s, external_id,
    concat_ws(' ', make, model, generation, variant) || ' is the name of another vehicle, too'
FROM matched WHERE action = 'skip'
"""
_FACTS = """
SELECT
    (SELECT count(*) FROM vehicle WHERE source = 'driveright' AND active) AS before,
    (SELECT count(*) FROM driveright_vehicle WHERE sync = %(sync)s) + %(unnamed)s AS pulled,
    (SELECT count(DISTINCT external_id) FROM driveright_problem
        WHERE sync = %(sync)s AND external_id <> '') + %(unnamed)s AS malformed,
    count(*) FILTER (WHERE kind = 'added') AS added,
    count(*) FILTER (WHERE kind = 'changed') AS changed,
    count(*) FILTER (WHERE kind = 'retired') AS retired
FROM driveright_change WHERE sync = %(sync)s
"""

_RENUMBER_AND_CHANGE = """
UPDATE vehicle SET external_id = matched.external_id, make = matched.make, model = matched.model,
    generation = matched.generation, variant = matched.variant, built_from = matched.built_from,
    built_until = matched.built_until, active = true, updated_at = clock_timestamp()
FROM matched
WHERE matched.action = 'update' AND vehicle.id = matched.vehicle_id
    AND vehicle.source = 'driveright' AND {differs}
"""
_ADD = """
INSERT INTO vehicle (make, model, generation, variant, built_from, built_until, source, external_id)
SELECT make, model, generation, variant, built_from, built_until, 'driveright', external_id
FROM matched WHERE action = 'add'
"""
_KNOW_ADDED = """
UPDATE wanted SET vehicle_id = vehicle.id FROM vehicle
WHERE wanted.vehicle_id IS NULL AND vehicle.external_id = wanted.external_id
"""
_RETIRE = """
UPDATE vehicle SET active = false, updated_at = clock_timestamp() FROM gone
WHERE vehicle.id = gone.id AND vehicle.source = 'driveright' AND vehicle.active
"""
_REMOVE = """
DELETE FROM fitment AS found USING matched
WHERE found.vehicle_id = matched.vehicle_id AND found.source = 'driveright'
    AND NOT matched.is_partial AND matched.action <> 'skip'
    AND NOT EXISTS (SELECT FROM wanted WHERE {alike})
"""
_FIT = """
INSERT INTO fitment AS found (vehicle_id, product_type, position, is_oe, tyre_width, tyre_aspect,
    tyre_diameter, wheel_diameter, wheel_width, pcd, centre_bore, offset_min, offset_max, source)
SELECT DISTINCT ON (vehicle_id, product_type, position, coalesce(tyre_width, 0),
    coalesce(tyre_aspect, 0), coalesce(tyre_diameter, 0), coalesce(wheel_diameter, 0),
    coalesce(wheel_width, 0))
    vehicle_id, product_type, position, is_oe, tyre_width, tyre_aspect, tyre_diameter,
    wheel_diameter, wheel_width, pcd, centre_bore, offset_min, offset_max, 'driveright'
FROM wanted
ON CONFLICT (vehicle_id, product_type, position, coalesce(tyre_width, 0),
    coalesce(tyre_aspect, 0), coalesce(tyre_diameter, 0), coalesce(wheel_diameter, 0),
    coalesce(wheel_width, 0))
DO UPDATE SET is_oe = excluded.is_oe, pcd = excluded.pcd, centre_bore = excluded.centre_bore,
    offset_min = excluded.offset_min, offset_max = excluded.offset_max,
    updated_at = clock_timestamp()
WHERE found.source = 'driveright' AND (found.is_oe, found.pcd, found.centre_bore, found.offset_min,
    found.offset_max) IS DISTINCT FROM (excluded.is_oe, excluded.pcd, excluded.centre_bore,
    excluded.offset_min, excluded.offset_max)
"""


class Facts(NamedTuple):
    """What a sync would do, in numbers of vehicles."""

    before: int
    """Active ones of DriveRight's that we have."""
    pulled: int
    malformed: int
    added: int
    changed: int
    retired: int


def compare(connection: "psycopg.Connection[Any]", sync: int, *, unnamed: int) -> Facts:
    """Write down what would change, in the open transaction; so many vehicles had no id."""
    _match(connection, sync)
    for statement in (_SKIPPED, _filled(_CHANGES)):
        connection.execute(statement, {"sync": sync})
    row = connection.execute(_FACTS, {"sync": sync, "unnamed": unnamed}).fetchone()
    assert row is not None  # noqa: S101 - aggregates
    return Facts(*row)


def apply(connection: "psycopg.Connection[Any]", sync: int) -> None:
    """Make the changes, in the open transaction, as things are now: manual entries still win."""
    _match(connection, sync)
    # First of all what is retired: its name may be another one's from here on.
    for statement in (_RETIRE, _filled(_RENUMBER_AND_CHANGE), _ADD, _KNOW_ADDED):
        connection.execute(statement)
    for statement in (_filled(_REMOVE), _FIT):
        connection.execute(statement)


def _match(connection: "psycopg.Connection[Any]", sync: int) -> None:
    for statement in (_MATCH, _WANT, _GONE):
        connection.execute(statement, {"sync": sync})
    for statement in (_INDEX, *_ANALYZE):
        connection.execute(statement)


def _filled(statement: str) -> str:
    """With the conditions that several statements share."""
    return (
        statement.replace("{alike}", _ALIKE)
        .replace("{differs}", _DIFFERS)
        .replace("{fitment_differs}", _FITMENT_DIFFERS)
    )
