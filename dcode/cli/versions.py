"""Which versions take part: dcode's own, and those of the packages it stands on."""

from dcode.resources import PACKAGE

DISTRIBUTION = "dcode-diffusion"


def own_version() -> str:
    """The version of this dcode: as written in the checkout it runs from, else as installed."""
    import tomllib

    project = PACKAGE.parent / "pyproject.toml"
    if project.is_file():
        table = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        if table.get("name") == DISTRIBUTION:
            return str(table["version"])
    return version(DISTRIBUTION)


def version(package: str) -> str:
    """The installed version of a package, "not installed" if there is none."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
