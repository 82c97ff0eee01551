"""What looks like a secret. The tokens are drawn here: none was ever one, and none stands in this file."""

import random
import string

import pytest

from dcode.text.secrets import brings_secret, looks_secret

UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
WORD, HEX = UPPER + LOWER + DIGITS, DIGITS + "abcdef"


def drawn(seed: int, alphabet: str, length: int) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=length))


def shapes(seed: int) -> dict[str, str]:
    """One line of every kind that must not be shown."""
    word, hexa = drawn(seed, WORD, 80), drawn(seed, HEX, 64)
    fine = drawn(seed, WORD + "_-", 90).strip("-_")
    return {
        "private key": "-----BEGIN RSA PRIVATE KEY-----",
        "openssh": '    key = """-----BEGIN OPENSSH PRIVATE KEY-----',
        "pgp": "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "any key": "-----BEGIN PRIVATE KEY-----",
        "amazon": f"client = boto3.client('s3', 'AKIA{drawn(seed, UPPER + '234567', 16)}')",
        "amazon secret": f'aws_secret_access_key = "{word[:40]}"',
        "amazon file": f"aws_secret_access_key = {word[:40]}",
        "github": f"git clone https://ghp_{word[:36]}@github.com/a/b",
        "github fine": f"# github_pat_{word[:22]}_{word[:59]}",
        "gitlab": f"curl -H 'PRIVATE-TOKEN: glpat-{word[:20]}'",
        "slack": f"xoxb-{drawn(seed, DIGITS, 12)}-{word[:24]}",
        "slack hook": f"https://hooks.slack.com/services/T{drawn(seed, UPPER, 8)}/B{word[:9].upper()}/{word[:24]}",
        "google": f"maps.load('AIza{word[:35]}')",
        "stripe": f"stripe.key = 'sk_live_{word[:24]}'",
        "model host": f"openai.api_key = 'sk-proj-{word[:48]}'",
        "hub": f"login('hf_{word[:34]}')",
        "npm": f"//registry/:_authToken=npm_{word[:36]}",
        "python index": f"password = pypi-AgEI{fine[:60]}",
        "telegram": f"BOT = '{drawn(seed, '123456789', 9)}:AA{word[:33]}'",
        "web token": f"Authorization: Bearer eyJ{word[:20]}.eyJ{word[:40]}.{fine[:43]}",
        "address": f"engine = create_engine('postgresql://app:{word[:12]}@db.internal/app')",
        "address in a shell": f"export REDIS=redis://:{word[:16]}@10.0.0.2:6379/0",
        "python": f'API_KEY = "{word[:32]}"',
        "typed": f'api_key: str = "{hexa[:32]}"',
        "dict": f'    "secret_key": "{hexa}",',
        "ruby": f"secret_key_base => '{hexa}',",
        "go": f'token := "{word[:40]}"',
        "java": f'private static final String ACCESS_TOKEN = "{word[:40]}";',
        "env": f"SESSION_SECRET={word[:32]}",
        "yaml": f"  client_secret: {word[:36]}",
        "call": f'connect("app", password="{drawn(seed, LOWER, 4)}{drawn(seed, UPPER, 3)}{drawn(seed, DIGITS, 3)}!")',
        "header": f"headers = {{'Authorization': 'x', 'api-key': '{hexa[:40]}'}}",
        "setter": f'os.environ.setdefault("DB_PASSWORD", "x"); set_token("{word[:40]}")',
    }


HARMLESS = r"""
password = getpass.getpass("Password: ")
password = os.environ["DB_PASSWORD"]
password: str = Field(min_length=8, max_length=128)
api_key = config.get("api_key", "")
api_key = "YOUR_API_KEY"
API_KEY = "your-api-key-here-1a2b3c4d5e6f7a8b"
secret = "<paste your secret token here>"
token = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
token = tokenizer.next_token(stream2, 4, 8)
token = self._tokens[self.position + 1]
tokens = [t for t in tokens if t.kind != "comment"]
token_type = "authorization_code"
TOKEN_URL = "https://auth.example.org/oauth2/v2.0/token"
password = "${DB_PASSWORD}"
password: {{ .Values.database.password }}
DATABASE_URL = "postgresql://user:password@localhost/app"
url = f"https://{user}:{password}@{host}/"
url = "postgres://%s:%s@%s/%s" % (user, password, host, name)
redis://localhost:6379/0
http://localhost:8080/path@v2
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
index 83db48f..bf2a3c1 100644
commit = "3f786850e387550fdab836ed7e6dc881de23001b"
UUID = "123e4567-e89b-12d3-a456-426614174000"
color = "#a1b2c3"; border = "0x1F2E3D4C5B6A7988"
def check_password(password: str, hashed: bytes) -> bool:
if password != confirm_password: raise ValueError("passwords differ")
raise ValueError("the token is invalid or has expired")
parser.add_argument("--token", help="access token, as the site shows it")
"password": "Password must have at least 8 characters",
PASSWORD_RESET_TIMEOUT = 259200
passwordResetTokenExpiresInSeconds2 = 3600
secret_santa = ["anna", "berta", "carla"]
const token = await getAccessTokenSilently({ audience });
public_key = "-----BEGIN PUBLIC KEY-----"
-----BEGIN CERTIFICATE-----
from cryptography.hazmat.primitives.asymmetric import rsa
key = hashlib.pbkdf2_hmac("sha256", password, salt, 100_000)
auth = (username, password)
You can pass "verbose=True" to it; pass `allow_module_level=True`.
csrf_token = request.cookies.get("csrftoken")
token = secrets.token_urlsafe(32)
password = "password"
DEFAULT_TOKEN_BACKEND = "rest_framework.authtoken.models.Token"
task-runner = risk-based-approach-to-1-thing
keyword_token = "identifier_or_keyword_2"
data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
eyJ is how such a token begins
sk-learn, sk_test, ghp_short, AKIA, AKIAIOSFODNN
"""


@pytest.mark.parametrize("kind", shapes(0))
def test_secrets_are_seen_however_they_are_drawn(kind: str) -> None:
    missed = [line for seed in range(30) if not looks_secret((line := shapes(seed)[kind]).encode())]
    assert len(missed) <= 1, missed  # a draw can look like a word


@pytest.mark.parametrize("line", HARMLESS.strip().split("\n"))
def test_ordinary_lines_are_not(line: str) -> None:
    assert not looks_secret(line.encode())


@pytest.mark.parametrize(
    "line", [b"", b"\xff\xfe", b"password = " + b"a" * 100_000, b"token=" * 20_000, b"://:" * 20_000]
)
def test_any_bytes_get_an_answer(line: bytes) -> None:
    assert not looks_secret(line)


def test_a_secret_that_was_there_is_not_brought() -> None:
    secret = shapes(1)["python"].encode()
    assert brings_secret(b"a\n", b"a\n" + secret)
    assert not brings_secret(secret + b"\r\n", b"if x:\n    " + secret + b"\n")
    assert brings_secret(secret, shapes(2)["python"].encode())
