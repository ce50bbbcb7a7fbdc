"""Writes one template of 200 files (about 1 MB, 10 variables, templated paths, conditions) for idp, cookiecutter and
copier, each in its own syntax, below the folder given."""

import json
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
names = [f"v{n}" for n in range(10)]


def body(n, open_, close):
    def var(name):
        return f"{open_} {name} {close}"

    prefix = {"${{": "values.", "{{": "cookiecutter."}.get(open_, "")
    prefix = "" if style == "copier" else prefix
    lines = [f"# file {n} of {var(prefix + 'v0')}"]
    for row in range(70):
        lines.append(f"line {row}: {var(prefix + names[row % 10])} " + "the quick brown fox jumps over the lazy dog " * 1)
        if row % 20 == 0:
            lines.append("{% if " + prefix + names[row % 10] + " %}present{% else %}absent{% endif %}")
    return "\n".join(lines) + "\n"


def write(base, open_, close, name):
    for n in range(200):
        path = base / f"dir{n % 10}" / f"{name}-{n}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body(n, open_, close))


style = "idp"
template = root / "idp" / "bench"
write(template / "skeleton", "${{", "}}", "${{ values.v1 }}")
properties = "\n".join(f"        {n}: {{ type: string, title: {n} }}" for n in names)
values = "\n".join(f"          {n}: ${{{{ parameters.{n} }}}}" for n in names)
(template / "template.yaml").write_text(f"""apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {{ name: bench, title: Bench }}
spec:
  type: service
  parameters:
    - title: Bench
      properties:
{properties}
  steps:
    - id: fetch
      action: fetch:template
      input:
        url: ./skeleton
        values:
{values}
""")
style = "cookiecutter"
cookie = root / "cookiecutter"
write(cookie / "{{ cookiecutter.slug }}", "{{", "}}", "{{ cookiecutter.v1 }}")
(cookie / "cookiecutter.json").write_text(json.dumps({"slug": "out", **{n: f"value-{i}" for i, n in enumerate(names)}}))
style = "copier"
copier = root / "copier"
write(copier, "{{", "}}", "{{ v1 }}")
for path in list(copier.rglob("*.txt")):
    path.rename(path.with_name(path.name + ".jinja"))
(copier / "copier.yml").write_text("".join(f"{n}:\n  type: str\n  default: value-{i}\n" for i, n in enumerate(names)))
