"""Each advisory has a test, each test has a row in the page, and the page is current."""

from tests.advisories.table import PAGE, file_of, page, rows
from tests.hostile.cases import rows as cases

ADVISORIES = """
CVE-2020-15157; CVE-2026-50151; CVE-2026-49349; GHSA-vh4v-2xq2-g5cg; CVE-2026-48978, CVE-2026-33540, CVE-2026-24845,
CVE-2026-33990; CVE-2019-10214; CVE-2014-5277, PYSEC-2014-80; CVE-2021-41092; CVE-2021-32690, CVE-2022-23538,
CVE-2024-35192; GO-2026-6225; CVE-2018-18074, CVE-2023-32681, CVE-2018-20060, CVE-2018-25091, CVE-2023-43804,
CVE-2024-37891, CVE-2026-44431, CVE-2024-45336, CVE-2025-4673, CVE-2023-45289; CVE-2024-47081; CVE-2025-50181;
CVE-2020-5260, CVE-2020-11008, CVE-2024-52006, CVE-2024-50338; CVE-2024-50349; opa #6580, renovate #3877,
oras-java #334;
CVE-2021-41190, GHSA-mc8v-mgrf-8f4m, GHSA-77vh-xpmg-72qh, GHSA-5j5w-g665-5m35, GHSA-qq97-vm5h-rrhg,
GHSA-xmmx-7jpf-fx42; CVE-2014-8179; CVE-2014-8178, CVE-2024-24557; CVE-2014-9356, CVE-2014-9357, CVE-2014-9358,
CVE-2021-21285; CVE-2024-3727; CVE-2025-24882, GHSA-qv35-3gw6-8q4j; BIT-distribution-2026-85747; CVE-2025-59348,
CVE-2025-59410; quay #1310, moby #17595; oras-go #1177, serverless-registry #134, kaniko #298,
go-containerregistry #56, oras-go #949;
CVE-2017-11468, CVE-2023-2253, CVE-2020-1702, CVE-2023-25153, CVE-2024-3056; CVE-2023-46737, CVE-2024-29902,
CVE-2024-29903, CVE-2023-33957, CVE-2023-33958; GHSA-f36w-mj3v-6jqv; GHSA-298f-872v-2rcx, GHSA-h7vf-4x9w-h99v;
CVE-2025-66471, CVE-2025-66418, CVE-2026-21441, CVE-2026-44432, CVE-2017-14992; CVE-2021-33503, CVE-2024-3651;
CVE-2020-8492, CVE-2021-3733; CVE-2021-29510; CVE-2025-43859;
CVE-2021-21272, CVE-2024-24579, CVE-2021-29136, CVE-2025-62725, CVE-2026-35206, CVE-2026-47680, CVE-2024-9341;
CVE-2026-50162, CVE-2026-50163, GHSA-m37j-52j7-pjw7, GHSA-8xwf-rjm4-xvhv; CVE-2025-47290, CVE-2026-39822;
CVE-2025-4517, CVE-2025-4330, CVE-2025-4138, CVE-2024-12718, CVE-2025-8869, CVE-2025-62518, GHSA-w476-p2h3-79g9,
CVE-2025-54368; CVE-2019-20916, CVE-2026-13346;
CVE-2025-48374, CVE-2024-31216; CVE-2024-35195, CVE-2021-28363; CVE-2019-11236, CVE-2020-26137, CVE-2021-41945;
CVE-2024-52005; CVE-2026-10517
"""
LISTED = {tuple(name.strip() for name in row.split(",")) for row in " ".join(ADVISORIES.split()).split(";")}


def test_each_advisory_has_its_test_and_each_test_its_advisory() -> None:
    found = {row.names for row in rows()}

    assert sorted(found) == sorted(LISTED)


def test_each_file_is_named_by_its_first_advisory() -> None:
    assert {row.names: row.file for row in rows()} == {row.names: file_of(row.names[0]) for row in rows()}


def test_each_row_names_existing_cases() -> None:
    known = {case.name for case in cases()}

    assert {row.file: set(row.cases) - known for row in rows() if not row.cases or set(row.cases) - known} == {}


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: .venv/bin/python -m tests.advisories.table"
