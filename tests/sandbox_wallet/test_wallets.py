from tests.sandbox_wallet.marketplace import BASE, Marketplace


def test_wallet_address_names_currency_and_servers(market: Marketplace) -> None:
    answer = market.http.get(f"{BASE}/bob")

    assert answer.status_code == 200
    assert answer.json() == {
        "id": f"{BASE}/bob",
        "publicName": "Bob",
        "assetCode": "EUR",
        "assetScale": 2,
        "authServer": f"{BASE}/auth/north",
        "resourceServer": f"{BASE}/north",
    }


def test_wallet_addresses_are_looked_up_in_lower_case(market: Marketplace) -> None:
    assert market.http.get(f"{BASE}/BOB").json()["id"] == f"{BASE}/bob"


def test_an_unknown_wallet_address_is_404(market: Marketplace) -> None:
    assert market.http.get(f"{BASE}/nobody").status_code == 404
    assert market.http.get(f"{BASE}/nobody/jwks.json").status_code == 404


def test_the_platform_client_publishes_exactly_its_key(market: Marketplace) -> None:
    keys = market.http.get(f"{market.client}/jwks.json").json()

    jwk = market.signer.public_jwk()
    assert keys == {
        "keys": [
            {
                "kid": jwk.kid,
                "alg": "EdDSA",
                "use": "sig",
                "kty": "OKP",
                "crv": "Ed25519",
                "x": jwk.x,
            }
        ]
    }
    assert market.http.get(f"{BASE}/alice/jwks.json").json() == {"keys": []}


def test_wallets_of_two_banks_have_two_auth_servers(market: Marketplace) -> None:
    assert market.wallet("alice")["authServer"] != market.wallet("carmen")["authServer"]


def test_unknown_paths_are_404_and_wrong_methods_405(market: Marketplace) -> None:
    assert market.http.get(f"{BASE}/north/nothing/here").status_code == 404
    assert market.http.put(f"{BASE}/alice").status_code == 405


def test_the_index_lists_wallets_and_what_they_hold(market: Marketplace) -> None:
    page = market.http.get(BASE)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"{BASE}/carmen" in page.text
    assert "MX$10,000,000.00" in page.text
    assert "$0.00" in page.text
