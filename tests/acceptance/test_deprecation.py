"""A scripted pipeline says what to use instead: in its run, in the plan, in the list."""

from command import document, shiftboss

HUB, SCRIPT = "intelligent-mining-infrastructure-setup", "mining-infrastructure-setup"
OWN = """\
id: our-script
stages:
  - {id: look, agent: dependency_installer, components: [daemon.binary], mode: verify, decisions: [a, b]}
connections:
  - {from: look, to: null, condition: a}
  - {from: look, to: null, condition: b}
"""


def test_a_run_and_its_plan_name_the_hub_pipeline(place):
    words = ["--pipeline", SCRIPT, "--set", "daemon.binary=/nonexistent/bitcoind"]
    ran = document(shiftboss(place, "up", "--json", *words))
    (said,) = ran["warnings"]
    assert f"--pipeline {HUB}" in said
    assert document(shiftboss(place, "plan", "--json", *words))["warnings"] == [said]
    text = shiftboss(place, "show", ran["run"]).stdout
    assert text.index("starts ") < text.index("warns  ") < text.index("sees  ")
    assert "warns  " in shiftboss(place, "plan", *words).stdout.splitlines()[0]


def test_a_hub_pipeline_is_told_nothing(place):
    ran = document(shiftboss(place, "up", "daemon.binary", "--json", "--set", "daemon.binary=/nonexistent/bitcoind"))
    assert ran["warnings"] == []
    assert document(shiftboss(place, "plan", "--json"))["warnings"] == []


def test_the_list_names_what_takes_the_place_of_each(place):
    (place / "mine" / "pipelines").mkdir(parents=True)
    (place / "mine" / "pipelines" / "own.yaml").write_text(OWN)
    words = ["pipelines", "--set", 'templates.folders=["mine"]']
    found = {one["id"]: one for one in document(shiftboss(place, *words, "--json"))}
    assert found[HUB]["deprecation"] is None
    assert found[SCRIPT]["replaced_by"] == HUB
    assert found["our-script"]["replaced_by"] is None
    assert "docs/how-to/migrate.md" in found["our-script"]["deprecation"]
    assert "our-script is a scripted pipeline, which is deprecated" in shiftboss(place, *words).stdout
