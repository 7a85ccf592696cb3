//! Providers that are set up otherwise than we expect: each such fault has its own words, and administrators are told why.

use super::*;

const JSON: &str = "application/json";

/// What the audit says of providers' faults, in the order of the kinds' first time.
async fn faults(house: &House) -> Vec<String> {
    house
        .app
        .column("select detail from audit where action = 'setup_fault' and outcome = 'refused' order by at, id")
        .await
}

/// Nobody can begin, is told so in these words, and the audit says why.
async fn assert_unusable(house: &House, words: &str, reason: &str) {
    house.app.state.clock.advance(3_601);
    let mut browser = house.app.stranger();
    let answer = browser.submit("/auth/test/start", &[]).await;
    assert_eq!(answer.status, 503, "{words}: {}", answer.text());
    assert!(answer.header("content-type").starts_with("text/html"), "{words}: a page");
    assert!(answer.text().contains(words), "{words}: {}", answer.text());
    assert!(answer.text().contains("Trying again does not help"), "{}", answer.text());
    assert!(!answer.text().contains("right now"), "{}", answer.text());
    let told = faults(house).await.pop().expect("an entry of the audit");
    assert!(told.starts_with("Test & Sons: ") && told.contains(reason), "{told}");
}

each_house! {
    async fn a_provider_that_is_none_is_told_in_words_and_to_administrators(house: House) {
        house.app.administrator().await;
        let (issuer, discovery) = (house.provider.issuer(), "/.well-known/openid-configuration");
        let none = "What answers at the configured address of Test &amp; Sons is not a sign-in service.";
        for (status, kind, body, reason) in [
            (404, "text/html", "<p>Not here</p>", "404"),
            (301, "text/html", "", "301"),
            (200, "text/html; charset=utf-8", "<html>a portal</html>", "it is not JSON but text/html"),
            (200, JSON, "[]", "it is not JSON"),
            (200, JSON, "{}", "it says no `issuer`"),
        ] {
            house.provider.says_instead(discovery, (status, kind, body));
            assert_unusable(&house, none, reason).await;
        }
        house.provider.recovers();
        for missing in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            house.provider.claim(json!({ missing: null }));
            assert_unusable(&house, none, &format!("it says no `{missing}`")).await;
        }
        let other_address = "Test &amp; Sons goes by another address than the one that is configured here.";
        for other in [format!("{issuer}/"), "https://login.example".to_owned(), format!("{issuer}/{{tenantid}}")] {
            house.provider.claim(json!({ "issuer": other }));
            assert_unusable(&house, other_address, &format!("calls itself {other:?}, but `issuer` is configured as {issuer:?}")).await;
        }
        for insecure in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            house.provider.claim(json!({ insecure: "http://login.example/x" }));
            assert_unusable(&house, "names an address that is not secure", insecure).await;
        }
        // No address outside of its own host is asked that is not public. (Even if one were, it would be this machine.)
        house.provider.claim(json!({ "jwks_uri": "https://127.0.0.2:1/keys" }));
        let reason = "127.0.0.2 leads into a private network, which `egress.allowed_networks` does not allow";
        assert_unusable(&house, "names an address that this server may not reach", reason).await;
        // What is not used may be missing, and a passing trouble is none of the set-up.
        let count = faults(&house).await.len();
        house.provider.claim(json!({
            "response_types_supported": null, "subject_types_supported": null, "id_token_signing_alg_values_supported": 7,
            "scopes_supported": "openid", "claims_supported": null,
        }));
        house.app.state.clock.advance(3_601);
        house.guest("vera-1", "vera@example.org").await;
        for status in [500, 503, 429] {
            house.provider.says_instead(discovery, (status, "text/html", "<p>later</p>"));
            house.app.state.clock.advance(3_601);
            let answer = house.app.stranger().submit("/auth/test/start", &[]).await;
            assert!(answer.status == 503 && answer.text().contains("does not answer right now"), "{}", answer.text());
        }
        assert_eq!(faults(&house).await.len(), count);
        house.provider.recovers();
        house.guest("vera-1", "vera@example.org").await;
    }
}

each_house! {
    async fn keys_are_found_however_they_are_listed(house: House) {
        house.app.administrator().await;
        let list = |keys: serde_json::Value| {
            house.provider.says_instead("/keys", (200, "application/jwk-set+json", &json!({ "keys": keys }).to_string()));
        };
        let good = house.provider.key();
        let with = |name: &str, value: serde_json::Value| {
            let mut key = good.clone();
            match value {
                serde_json::Value::Null => drop(key.as_object_mut().expect("an object").remove(name)),
                value => key[name] = value,
            }
            key
        };
        let mut other = with("kid", json!("other"));
        other["n"] = json!(house.provider.key()["n"].as_str().expect("a number").replace(['a', 'b'], "c"));
        let post_quantum = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AAAA" });
        let curve = json!({ "kty": "EC", "crv": "brainpoolP256r1", "kid": "b", "x": "AA", "y": "AA" });
        let encryption = json!({ "kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "kid": "e", "n": good["n"], "e": "AQAB" });
        for keys in [
            json!([post_quantum, curve, encryption, other, good]),
            json!([with("kid", json!(null))]),
            json!([other, with("kid", json!(null))]),
            json!([with("alg", json!(null))]),
            json!([with("use", json!(null))]),
        ] {
            list(keys.clone());
            house.app.state.clock.advance(3_601);
            house.guest("vera-1", "vera@example.org").await;
        }
        // A token that names no key is tried on each.
        list(json!([other, with("kid", json!("k2"))]));
        house.app.state.clock.advance(3_601);
        let unnamed = Plan { header: json!({ "kid": null }), ..person("vera-1", "vera@example.org") };
        let mut vera = house.app.stranger();
        let done = house.visit_as(&mut vera, unnamed.clone()).await;
        assert_eq!(done.status, 303, "{}", done.text());
        // None of them lets in what another key has signed.
        let mut mallory = house.app.stranger();
        let forged = house.visit_as(&mut mallory, Plan { signed: Signed::ByAnother, ..unnamed }).await;
        assert_refused(&mut mallory, &forged, 400, "forged").await;

        for none in [json!([]), json!([post_quantum, curve]), json!([encryption])] {
            list(none);
            assert_unusable(&house, "Test &amp; Sons offers no key by which its answers could be checked.", "holds no key").await;
        }
        house.provider.says_instead("/keys", (200, "text/html", "<html></html>"));
        assert_unusable(&house, "is not a sign-in service", "the key set: it is not a key set but text/html").await;
        house.provider.says_instead("/keys", (404, "text/html", ""));
        assert_unusable(&house, "is not a sign-in service", "the key set: the provider answers 404").await;
        house.provider.recovers();
        house.app.state.clock.advance(3_601);
        house.guest("vera-1", "vera@example.org").await;
    }
}

each_house! {
    async fn o07_keys_that_do_not_fit_are_asked_for_once_in_a_while(house: House) {
        house.app.administrator().await;
        house.guest("vera-1", "vera@example.org").await;
        assert_eq!(house.provider.keys_asked(), 1);
        let unlisted = Plan { header: json!({ "kid": "unlisted" }), ..person("vera-1", "vera@example.org") };
        for _ in 0..5 {
            let mut vera = house.app.stranger();
            let answer = house.visit_as(&mut vera, unlisted.clone()).await;
            assert_refused(&mut vera, &answer, 400, "unlisted").await;
            assert!(answer.text().contains("signed its answer with a key that it does not list"), "{}", answer.text());
        }
        assert_eq!(house.provider.keys_asked(), 2);
        assert_eq!(faults(&house).await.len(), 1);
        house.guest("vera-1", "vera@example.org").await;
        house.app.state.clock.advance(31);
        house.provider.rename_key("key-2");
        house.guest("vera-1", "vera@example.org").await;
        assert_eq!(house.provider.keys_asked(), 3);
        // The list is broken at the moment when it is needed; the keys of before stay.
        house.app.state.clock.advance(31);
        house.provider.says_instead("/keys", (200, JSON, r#"{"keys":[]}"#));
        let mut vera = house.app.stranger();
        let answer = house.visit_as(&mut vera, unlisted).await;
        assert!(answer.status == 503 && answer.text().contains("offers no key"), "{}", answer.text());
        house.guest("vera-1", "vera@example.org").await;
    }
}

each_house! {
    async fn what_the_provider_refuses_us_has_its_own_words(house: House) {
        house.app.administrator().await;
        let visit = async |plan: Plan| {
            let mut vera = house.app.stranger();
            let answer = house.visit_as(&mut vera, plan).await;
            assert_eq!(who(&mut vera).await, None);
            answer
        };
        let vera = || person("vera-1", "vera@example.org");
        let identifies = "Test &amp; Sons does not accept how this installation identifies itself.";
        for (status, body, words, reason) in [
            (401, r#"{"error":"invalid_client","error_description":"secret-7"}"#, identifies, "invalid_client"),
            (400, r#"{"error":"unauthorized_client"}"#, identifies, "unauthorized_client"),
            (200, r#"{"error":"invalid_client"}"#, identifies, "invalid_client"),
            (401, "<html></html>", identifies, "401"),
            (404, "<html></html>", identifies, "404"),
            (200, "<html></html>", "Test &amp; Sons did not say who you are.", "not JSON"),
        ] {
            house.app.state.clock.advance(3_601);
            house.provider.says_instead("/token", (status, JSON, body));
            let answer = visit(vera()).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.text());
            assert!(answer.text().contains(words) && !answer.text().contains("begin again"), "{body}: {}", answer.text());
            let told = faults(&house).await.pop().expect("an entry");
            assert!(told.contains(reason) && !told.contains("secret-7"), "{told}");
        }
        let count = faults(&house).await.len();
        house.provider.says_instead("/token", (400, JSON, r#"{"error":"invalid_grant"}"#));
        assert!(visit(vera()).await.text().contains("begin again"));
        for (status, body) in [(503, "<html></html>"), (429, "{}"), (400, r#"{"error":"temporarily_unavailable"}"#)] {
            house.provider.says_instead("/token", (status, JSON, body));
            let answer = visit(vera()).await;
            assert!(answer.status == 503 && answer.text().contains("right now"), "{body}: {}", answer.text());
        }
        assert_eq!(faults(&house).await.len(), count);
        house.provider.recovers();

        let signed = Plan { signed: Signed::WithClientSecret, ..vera() };
        assert!(visit(signed).await.text().contains("signed its answer in a way that is not accepted here"));
        assert!(faults(&house).await.pop().is_some_and(|told| told.contains("HS256")));
        for (claim, value) in [("exp", "-120"), ("iat", "-3600"), ("iat", "+3600"), ("nbf", "+3600")] {
            let mut plan = vera();
            plan.claims[claim] = json!(value);
            assert!(visit(plan).await.text().contains("The clocks of Test &amp; Sons and of this server do not agree."), "{claim}");
        }
        // Within a minute, clocks may differ.
        let mut late = vera();
        late.claims["iat"] = json!("+45");
        late.claims["exp"] = json!("-45");
        house.provider.vouch(late);
        assert_eq!(house.visit(&mut house.app.stranger(), &[]).await.status, 303);
    }
}

each_house! {
    async fn who_is_sent_back_with_an_error_is_told_whose_it_is(house: House) {
        house.app.administrator().await;
        for (error, status, words) in [
            ("access_denied", 400, "did not sign you in. You can try again, or another way."),
            ("login_required", 400, "did not sign you in. You can try again, or another way."),
            ("made_up", 400, "did not sign you in. You can try again, or another way."),
            ("invalid_scope", 400, "did not accept what this installation asked for. Trying again does not help"),
            ("unauthorized_client", 400, "did not accept what this installation asked for. Trying again does not help"),
            ("temporarily_unavailable", 503, "does not answer right now"),
        ] {
            let mut browser = house.app.stranger();
            let back = house.way_back(&mut browser, &[]).await;
            let state = back.split(['?', '&']).find(|part| part.starts_with("state=")).expect("a state");
            let answer = browser.get(&format!("/auth/test/callback?error={error}&{state}")).await;
            assert_refused(&mut browser, &answer, status, error).await;
            assert!(answer.text().contains(words), "{error}: {}", answer.text());
        }
        assert_eq!(faults(&house).await.len(), 1);
        assert_eq!(house.provider.tokens(), 0);
    }
}
