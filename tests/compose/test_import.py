"""A Compose file becomes an app that holds together, and whatever does not fit is told with its line."""

from pathlib import Path

import pytest

from gitops.compose.recipes import RECIPES
from gitops.compose.variables import is_secret
from gitops.fleet.load import load
from gitops.system.errors import UserError
from gitops.system.shipped import shipped
from tests.compose.conftest import Desk, told

SHOP = """\
# Our shop
name: My_Shop
x-logging: &logging
  logging: {driver: json-file, options: {max-size: "10m"}}
x-defaults: &defaults
  restart: always
  <<: *logging

services:
  web: # the front
    <<: *defaults
    image: nginx:1.27-alpine
    ports:
      - "8080:80" # people come here
      - {target: 443, published: 8443, protocol: tcp}
    volumes:
      - ./html:/usr/share/nginx/html:ro
      - ./site.conf:/etc/nginx/conf.d/default.conf
      - /srv/media:/media:ro
      - /var/run/docker.sock:/var/run/docker.sock
      - type: tmpfs
        target: /run
        tmpfs: {size: 64m}
    depends_on: [app, debug]
  app:
    <<: *defaults
    build: .
    image: registry.example.org/shop:${TAG:-latest}
    container_name: shop
    command: python -m shop --name "the shop"
    env_file: [app.env]
    environment:
      DATABASE_URL: postgres://shop:${DB_PASSWORD}@my_db/shop
      CACHE: redis://cache:6379/${CACHE_DB:-0}
      DEBUG:
    ports: ["${WEB_PORT:-9000}:9000", "6000-6005:6000-6005"]
    deploy:
      replicas: 2
      resources:
        limits: {cpus: "0.5", memory: 256M}
        reservations: {memory: 64M}
      restart_policy: {condition: on-failure, max_attempts: 3}
    privileged: true
    heathcheck: {test: x}
    volumes: [".:/app", "./uploads:/uploads", "cache_files:/cache"]
    depends_on:
      my_db: {condition: service_healthy}
  my_db:
    image: postgres:16
    environment:
      - POSTGRES_USER=shop
      - POSTGRES_DB=shop
      - POSTGRES_PASSWORD=${DB_PASSWORD:?set it}
    volumes: ["db_data:/var/lib/postgresql/data"]
    healthcheck:
      test: pg_isready -U shop
      start_interval: 1s
  cache:
    image: docker.io/library/redis:7
    command: --appendonly yes
  debug:
    image: adminer
    profiles: [debug]
volumes:
  db_data: {driver: local}
  cache_files:
"""
BOMB = (
    "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 7))
    + "services: {web: {labels: [*a6]}}\n"
)
BESIDE = {
    "html/index.html": "hello\n",
    "html/.env": "PASSWORD=no\n",
    "site.conf": "server { listen 80; }\n",
    ".env": "DB_PASSWORD=hunter2\nTAG=1.2\nWEB_PORT=9090 # for people\n",
    "app.env": "LOG_LEVEL=info\nAPI_TOKEN=abc\nPRICE='5 $'\n",
}


def test_a_whole_shop_becomes_an_app_that_loads(desk: Desk) -> None:
    done = desk.run(SHOP, **BESIDE)
    fleet = desk.loaded("{DEBUG: ''}")
    services = fleet.instance("web1", "one").definition.services
    assert list(services) == ["web", "app", "my-db", "cache"]
    assert services["web"].image == "nginx"
    assert services["web"].restart == "always"
    assert services["web"].logging is not None
    assert [str(port.published) for port in services["web"].ports] == ["8080", "8443"]
    assert services["app"].command == ("python", "-m", "shop", "--name", "the shop")
    assert services["app"].environment["CACHE"] == "redis://cache:6379/0"
    assert services["app"].environment["PRICE"] == "5 $"
    assert services["app"].mem_limit == 256 << 20
    assert services["app"].restart == "always"
    assert services["app"].depends_on["my-db"].condition == "service_healthy"
    assert services["cache"].command == ("redis-server", "--appendonly", "yes")
    backup = fleet.instance("web1", "one").definition.backup
    assert backup
    assert [(each.service, each.kind, each.name) for each in backup.databases] == [
        ("my-db", "postgresql", "shop"),
        ("cache", "redis", None),
    ]
    assert [each.name for each in backup.volumes] == ["cache-files", "uploads"]
    assert set(fleet.images) == {"trixie", "nginx", "postgresql", "redis", "shop-app"}
    assert done.instance == "shop: {app: shop}"


def test_what_does_not_fit_is_told_with_the_line_where_it_stands(desk: Desk) -> None:
    done = desk.run(SHOP, **BESIDE)
    said = told(done)
    for what, word in {
        "services.web.volumes.0": "part of the image",
        "services.web.volumes.2": "share /srv/media",
        "services.web.volumes.3": "root on the host",
        "services.web.depends_on": "debug is not there",
        "services.app.build": "images/shop-app.yaml",
        "services.app.container_name": "FLEET.INSTANCE.SERVICE",
        "services.app.environment.DATABASE_URL": "gitops secret set database-url",
        "services.app.environment.DEBUG": "parameter",
        "services.app.ports.1": "only one instance",
        "services.app.deploy.replicas": "an instance for each copy",
        "services.app.deploy.resources.reservations.memory": "nothing is reserved",
        "services.app.privileged": "cap_add",
        "services.app.heathcheck": "did you mean `healthcheck`?",
        "services.app.volumes.0": "belong into its image",
        "services.app.volumes.1": "begins empty",
        "services.my_db": "is called my-db here",
        "services.my_db.image": "Debian 13 has 17",
        "services.my_db.environment.2": "gitops secret set my-db-postgres-password",
        "services.my_db.healthcheck.start_interval": "no counterpart",
        "services.debug.profiles": "left out",
        "volumes.db_data.driver": "engine's default",
    }.items():
        assert word in said[what], (what, said.get(what))
    lines = SHOP.splitlines()
    for note in done.notes:
        if note.line:
            key = note.what.split(".")[-1]
            assert key.isdigit() or key in lines[note.line - 1], note
    assert [note.line for note in done.notes] == sorted(note.line for note in done.notes)


def test_no_password_gets_into_git(desk: Desk) -> None:
    desk.run(SHOP, **BESIDE)
    everything = "".join(path.read_text() for path in desk.fleet.rglob("*") if path.is_file())
    assert "hunter2" not in everything
    assert "abc" not in (desk.fleet / "apps/shop.yaml").read_text()
    assert not list(desk.fleet.rglob(".env"))
    services = desk.app()["services"]
    assert isinstance(services, dict)
    assert (
        services["my-db"]["environment"].items() >= {"POSTGRES_USER": "shop", "POSTGRES_DB": "shop"}.items()
    )
    assert "POSTGRES_PASSWORD" not in services["my-db"]["environment"]
    assert services["my-db"]["secrets"] == ["my-db-postgres-password"]


def test_a_databases_password_is_a_secret_even_where_it_is_yet_to_be_filled_in(desk: Desk) -> None:
    done = desk.run(
        "services: {db: {image: mysql, environment: [MYSQL_ROOT_PASSWORD=x, MYSQL_PASSWORD=, MYSQL_USER=a]}}"
    )
    services = desk.app()["services"]
    assert isinstance(services, dict)
    assert set(services["db"]["environment"]) == {"MYSQL_USER", "MYSQL_PASSWORD_FILE"}
    assert services["db"]["secrets"] == ["db-mysql-password"]
    assert "needs no password" in told(done)["services.db.environment.0"]


def test_variables_become_parameters_with_the_defaults_that_they_had(desk: Desk) -> None:
    desk.run(SHOP, **BESIDE)
    parameters = desk.app()["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["port"]["default"] == 8080
    assert parameters["WEB_PORT"] == {"type": "integer", "default": 9090}
    assert parameters["CACHE_DB"] == {"default": "0"}
    assert parameters["DEBUG"] == {}
    assert "DB_PASSWORD" not in parameters
    lower = [name.lower() for name in parameters]
    assert len(set(lower)) == len(lower)


def test_comments_and_order_stay(desk: Desk) -> None:
    desk.run(SHOP, **BESIDE)
    text = (desk.fleet / "apps/shop.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../schemas/app.json\n# From compose.yaml")
    assert "  web: # the front\n" in text
    assert "# people come here" in text
    assert "&" not in text
    assert "<<" not in text


def test_files_beside_it_go_into_the_image_where_debian_has_them(desk: Desk) -> None:
    desk.run(SHOP, **BESIDE)
    image = load(desk.fleet, secrets_to_come=True).images["nginx"]
    assert {(copy.source, copy.target) for copy in image.copies} == {
        ("html", "/var/www/html"),
        ("site.conf", "/etc/nginx/conf.d/default.conf"),
    }
    assert (desk.fleet / "images/nginx/html/index.html").read_text() == "hello\n"
    assert (desk.fleet / "images/nginx/site.conf").read_text() == BESIDE["site.conf"]


def test_nothing_that_is_there_is_overwritten(desk: Desk) -> None:
    own = "from: trixie\npackages: [nginx-extras]\n"
    (desk.fleet / "images/nginx.yaml").write_text(own)
    done = desk.run("services: {web: {image: nginx}}\n")
    assert done.kept == ["images/nginx.yaml"]
    assert (desk.fleet / "images/nginx.yaml").read_text() == own
    before = (desk.fleet / "apps/shop.yaml").read_bytes()
    with pytest.raises(UserError, match="exists already"):
        desk.run("services: {web: {image: httpd}}\n")
    assert (desk.fleet / "apps/shop.yaml").read_bytes() == before
    assert not (desk.fleet / "images/apache.yaml").exists()


@pytest.mark.parametrize(
    ("compose", "line", "said"),
    [
        ("services:\n  web:\n    image: nginx\n   ports: []\n", 4, ""),
        ("servises:\n  web: {}\n", 1, "has no `services`"),
        ("services:\n  web: nginx\n", 2, "must be a mapping"),
        ("services:\n  web:\n    image: nginx\n    environment:\n      A: ${B\n", 5, "brace"),
        (BOMB, 0, "more than"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_where_it_does_not_and_nothing_is_written(
    desk: Desk, compose: str, line: int, said: str
) -> None:
    desk.write({"compose.yaml": compose})
    before = sorted(desk.fleet.rglob("*"))
    done = desk.gitops("import", str(desk.project / "compose.yaml"), "--app", "shop")
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert f"compose.yaml:{line}:" in done.stderr if line else "compose.yaml" in done.stderr
    assert said in done.stderr
    assert sorted(desk.fleet.rglob("*")) == before


@pytest.mark.parametrize(
    ("image", "ours"),
    [
        ("nginx", "nginx"),
        ("docker.io/library/postgres:17.2-bookworm", "postgresql"),
        ("mysql:8.0", "mariadb"),
        ("httpd:2.4", "apache"),
        ("redis@sha256:" + "0" * 64, "redis"),
        ("ghcr.io/example/nginx:1", "shop-web"),
        ("bitnami/redis", "shop-web"),
        ("${IMAGE}", "shop-web"),
    ],
)
def test_an_image_that_is_one_debian_package_away_gets_a_definition_and_others_a_stub(
    desk: Desk, image: str, ours: str
) -> None:
    desk.run(f"services: {{web: {{image: '{image}'}}}}\n")
    fleet = desk.loaded()
    assert fleet.instance("web1", "one").definition.services["web"].image == ours
    assert bool(fleet.images[ours].packages) == (ours != "shop-web")
    assert "To do" in (desk.fleet / f"images/{ours}.yaml").read_text() or ours != "shop-web"


def test_every_recipe_has_a_definition_that_loads(desk: Desk) -> None:
    compose = "".join(f"  s{n}: {{image: '{name}'}}\n" for n, name in enumerate(RECIPES))
    desk.run(f"services:\n{compose}")
    assert {recipe.name for recipe in RECIPES.values()} <= set(desk.loaded().images)
    there = {path.stem for path in (shipped("templates") / "images").glob("*.yaml")}
    assert there == {recipe.name for recipe in RECIPES.values()}


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASSWORD", "x", True),
        ("MYSQL_ROOT_PASSWORD", "${PW}", True),
        ("SECRET_KEY_BASE", "x", True),
        ("STRIPE_API_KEY", "x", True),
        ("SMTP_PASS", "x", True),
        ("DATABASE_URL", "postgres://a:b@c/d", True),
        ("ALLOW_EMPTY_PASSWORD", "yes", False),
        ("POSTGRES_PASSWORD_FILE", "/run/secrets/x", False),
        ("TOKENIZER", "x", False),
        ("DATABASE_URL", "postgres://db/d", False),
        ("KEYBOARD", "de", False),
    ],
)
def test_passwords_are_known_by_their_names_and_logins_by_their_addresses(
    name: str, value: str, secret: object
) -> None:
    assert is_secret(name, value) == secret


def test_long_and_short_forms_and_odd_yaml_say_the_same(desk: Desk) -> None:
    done = desk.run(
        """\
%YAML 1.2
---
"services":
  ? "a_b.C"
  : image: &img memcached
    command: ["-m", "64"]
    environment: {N: 1, B: true, S: "yes", "X.Y": z}
    networks: {back_end: {aliases: [Old_Name], ipv4_address: 10.0.0.2}}
    secrets: [{source: Api_Key, target: key}, plain]
    ulimits: {nofile: {soft: 1, hard: 2}}
    extra_hosts: ["mail:192.0.2.1"]
    user: 1000
    links: [x]
  x: {image: *img, networks: [back_end], stop_grace_period: 1m30s, healthcheck: {disable: true}}
secrets: {Api_Key: {file: ./key.txt}, plain: {environment: P}}
include: [other.yaml]
"""
    )
    services = desk.app()["services"]
    assert isinstance(services, dict)
    assert list(services) == ["a-b-c", "x"]
    assert services["a-b-c"]["command"] == ["memcached", "-m", "64"]
    assert services["a-b-c"]["networks"] == {"back-end": {"aliases": ["old-name"]}}
    assert services["a-b-c"]["secrets"] == [{"source": "api-key", "target": "key"}, "plain"]
    said = told(done)
    assert "find each other by name" in said["services.a_b.C.links"]
    assert said["secrets.Api_Key"] == "gitops secret set api-key < ./key.txt"
    assert "import those files too" in said["include"]
    assert any("X.Y" in str(each) for each in done.problems)


def test_the_verb_prints_what_it_wrote_what_it_could_not_carry_over_and_what_is_next(desk: Desk) -> None:
    compose = desk.write({"compose.yaml": SHOP, **BESIDE})
    done = desk.gitops("import", str(compose))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("apps/my-shop.yaml\n")
    assert f"{compose}:{SHOP.splitlines().index('    build: .') + 1}: services.app.build: " in done.stdout
    assert "gitops secret set my-db-postgres-password" in done.stdout
    assert done.stdout.count("next: ") == 3
    again = desk.gitops("import", str(compose))
    assert again.returncode == 1
    assert "apps/my-shop.yaml: exists already" in again.stderr


def test_a_project_can_have_a_file_that_leads_out_of_it_and_it_is_not_followed(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("secret\n")
    desk.write({"in/a.txt": "a\n"})
    (desk.project / "in/link").symlink_to(tmp_path / "outside")
    (desk.project / "link").symlink_to(tmp_path / "outside")
    done = desk.run(
        "services: {web: {image: nginx, volumes: ['./in:/in:ro', './link:/l:ro', '../outside:/o:ro']}}\n"
    )
    assert "begins empty" in told(done)["services.web.volumes.1"]
    assert "begins empty" in told(done)["services.web.volumes.2"]
    assert [path.name for path in (desk.fleet / "images/nginx/in").iterdir()] == ["a.txt"]
