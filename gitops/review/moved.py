"""Which images and apps are not what they were; pure."""

from gitops.review.state import State


def moved_images(before: State, after: State) -> frozenset[str]:
    """Give the images whose content, or test, is another than before, or that are new."""
    return frozenset(
        name
        for name, image in after.fleet.images.items()
        if name not in before.fleet.images
        or image.test != before.fleet.images[name].test
        or _called(before, name) != _called(after, name)
    )


def rebuilt_images(before: State, after: State) -> frozenset[str]:
    """Give the images whose content is another than before, or that are new."""
    return frozenset(name for name in after.fleet.images if _called(before, name) != _called(after, name))


def moved_apps(before: State, after: State) -> frozenset[str]:
    """Give the apps that are written otherwise than before, that run an image that moved, or that are new."""
    moved = moved_images(before, after)
    return frozenset(
        name
        for name, app in after.fleet.apps.items()
        if name not in before.fleet.apps
        or app.document != before.fleet.apps[name].document
        or _runs(app.document, moved)
    )


def _called(state: State, image: str) -> list[str]:
    return [name for (each, _), name in state.references.items() if each == image]


def _runs(document: dict[str, object], moved: frozenset[str]) -> bool:
    """Tell whether an app runs one of some images; one that a parameter names may be any."""
    services = document.get("services")
    images = [
        str(service.get("image"))
        for service in (services.values() if isinstance(services, dict) else ())
        if isinstance(service, dict)
    ]
    return any(image in moved or (moved and "$" in image) for image in images)
