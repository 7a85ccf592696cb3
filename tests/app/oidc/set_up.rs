//! Misconfigured providers: each problem has its own message, and the audit log tells administrators the reason.

use super::*;

const JSON: &str = "application/json";

/// The recorded set-up errors, oldest first.
async fn setup_errors(oidc: &OidcApp) -> Vec<String> {
    oidc.app
        .column("select detail from audit where action = 'setup_fault' and outcome = 'refused' order by at, id")
        .await
}

/// Checks that a flow cannot start, that the page has this text, and that the audit log has this reason.
async fn assert_unusable(oidc: &OidcApp, words: &str, reason: &str) {
    oidc.app.state.clock.advance(3_601);
    let mut browser = oidc.app.anonymous();
    let answer = browser.submit("/auth/test/start", &[]).await;
    assert_eq!(answer.status, 503, "{words}: {}", answer.text());
    assert!(answer.header("content-type").starts_with("text/html"), "{words}: a page");
    assert!(answer.text().contains(words), "{words}: {}", answer.text());
    assert!(answer.text().contains("Trying again won't help"), "{}", answer.text());
    assert!(!answer.text().contains("right now"), "{}", answer.text());
    let entry = setup_errors(oidc).await.pop().expect("an entry of the audit");
    assert!(entry.starts_with("Test & Sons: ") && entry.contains(reason), "{entry}");
}

each_oidc_db! {
    async fn a_misconfigured_provider_is_reported_to_users_and_administrators(oidc: OidcApp) {
        oidc.app.administrator().await;
        let (issuer, discovery) = (oidc.provider.issuer(), "/.well-known/openid-configuration");
        let none = "The configured address of Test &amp; Sons isn't a sign-in service.";
        for (status, kind, body, reason) in [
            (404, "text/html", "<p>Not here</p>", "404"),
            (301, "text/html", "", "301"),
            (200, "text/html; charset=utf-8", "<html>a portal</html>", "it is not JSON but text/html"),
            (200, JSON, "[]", "it is not JSON"),
            (200, JSON, "{}", "it has no `issuer`"),
        ] {
            oidc.provider.override_response(discovery, (status, kind, body));
            assert_unusable(&oidc, none, reason).await;
        }
        oidc.provider.clear_overrides();
        for missing in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            oidc.provider.set_metadata(json!({ missing: null }));
            assert_unusable(&oidc, none, &format!("it has no `{missing}`")).await;
        }
        let other_address = "Test &amp; Sons uses a different address from the one configured here.";
        for other in [format!("{issuer}/"), "https://login.example".to_owned(), format!("{issuer}/{{tenantid}}")] {
            oidc.provider.set_metadata(json!({ "issuer": other }));
            assert_unusable(&oidc, other_address, &format!("calls itself {other:?}, but `issuer` is configured as {issuer:?}")).await;
        }
        for insecure in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            oidc.provider.set_metadata(json!({ insecure: "http://login.example/x" }));
            assert_unusable(&oidc, "uses an address that isn't secure", insecure).await;
        }
        // Addresses on other hosts must be public. (This one is a loopback address.)
        oidc.provider.set_metadata(json!({ "jwks_uri": "https://127.0.0.2:1/keys" }));
        let reason = "127.0.0.2 leads into a private network, which `egress.allowed_networks` does not allow";
        assert_unusable(&oidc, "uses an address that this server isn't allowed to reach", reason).await;
        // Unused metadata may be missing, and temporary failures are not set-up errors.
        let count = setup_errors(&oidc).await.len();
        oidc.provider.set_metadata(json!({
            "response_types_supported": null, "subject_types_supported": null, "id_token_signing_alg_values_supported": 7,
            "scopes_supported": "openid", "claims_supported": null,
        }));
        oidc.app.state.clock.advance(3_601);
        oidc.sign_in_as("vera-1", "vera@example.org").await;
        for status in [500, 503, 429] {
            oidc.provider.override_response(discovery, (status, "text/html", "<p>later</p>"));
            oidc.app.state.clock.advance(3_601);
            let answer = oidc.app.anonymous().submit("/auth/test/start", &[]).await;
            assert!(answer.status == 503 && answer.text().contains("isn't responding right now"), "{}", answer.text());
        }
        assert_eq!(setup_errors(&oidc).await.len(), count);
        oidc.provider.clear_overrides();
        oidc.sign_in_as("vera-1", "vera@example.org").await;
    }
}

each_oidc_db! {
    async fn signing_keys_are_found_in_every_format(oidc: OidcApp) {
        oidc.app.administrator().await;
        let list = |keys: serde_json::Value| {
            oidc.provider.override_response("/keys", (200, "application/jwk-set+json", &json!({ "keys": keys }).to_string()));
        };
        let good = oidc.provider.key();
        let with = |name: &str, value: serde_json::Value| {
            let mut key = good.clone();
            match value {
                serde_json::Value::Null => drop(key.as_object_mut().expect("an object").remove(name)),
                value => key[name] = value,
            }
            key
        };
        let mut other = with("kid", json!("other"));
        other["n"] = json!(oidc.provider.key()["n"].as_str().expect("a number").replace(['a', 'b'], "c"));
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
            oidc.app.state.clock.advance(3_601);
            oidc.sign_in_as("vera-1", "vera@example.org").await;
        }
        // A token without a key id is verified with each key.
        list(json!([other, with("kid", json!("k2"))]));
        oidc.app.state.clock.advance(3_601);
        let unnamed = TestIdentity { header: json!({ "kid": null }), ..verified_identity("vera-1", "vera@example.org") };
        let mut vera = oidc.app.anonymous();
        let done = oidc.run_flow_as(&mut vera, unnamed.clone()).await;
        assert_eq!(done.status, 303, "{}", done.text());
        // A token signed with another key is refused by all of them.
        let mut mallory = oidc.app.anonymous();
        let forged = oidc.run_flow_as(&mut mallory, TestIdentity { signed: Signing::OtherKey, ..unnamed }).await;
        assert_refused(&mut mallory, &forged, 400, "forged").await;

        for none in [json!([]), json!([post_quantum, curve]), json!([encryption])] {
            list(none);
            assert_unusable(&oidc, "Test &amp; Sons has no key to check its answers with.", "has no usable key").await;
        }
        oidc.provider.override_response("/keys", (200, "text/html", "<html></html>"));
        assert_unusable(&oidc, "isn't a sign-in service", "the key set: it is not a key set but text/html").await;
        oidc.provider.override_response("/keys", (404, "text/html", ""));
        assert_unusable(&oidc, "isn't a sign-in service", "the key set: the provider returned 404").await;
        oidc.provider.clear_overrides();
        oidc.app.state.clock.advance(3_601);
        oidc.sign_in_as("vera-1", "vera@example.org").await;
    }
}

each_oidc_db! {
    async fn o07_unknown_keys_are_refetched_at_intervals(oidc: OidcApp) {
        oidc.app.administrator().await;
        oidc.sign_in_as("vera-1", "vera@example.org").await;
        assert_eq!(oidc.provider.key_requests(), 1);
        let unlisted = TestIdentity { header: json!({ "kid": "unlisted" }), ..verified_identity("vera-1", "vera@example.org") };
        for _ in 0..5 {
            let mut vera = oidc.app.anonymous();
            let answer = oidc.run_flow_as(&mut vera, unlisted.clone()).await;
            assert_refused(&mut vera, &answer, 400, "unlisted").await;
            assert!(answer.text().contains("signed its answer with a key it doesn't list"), "{}", answer.text());
        }
        assert_eq!(oidc.provider.key_requests(), 2);
        assert_eq!(setup_errors(&oidc).await.len(), 1);
        oidc.sign_in_as("vera-1", "vera@example.org").await;
        oidc.app.state.clock.advance(31);
        oidc.provider.rename_key("key-2");
        oidc.sign_in_as("vera-1", "vera@example.org").await;
        assert_eq!(oidc.provider.key_requests(), 3);
        // If a new key set is invalid, the previous keys are kept.
        oidc.app.state.clock.advance(31);
        oidc.provider.override_response("/keys", (200, JSON, r#"{"keys":[]}"#));
        let mut vera = oidc.app.anonymous();
        let answer = oidc.run_flow_as(&mut vera, unlisted).await;
        assert!(answer.status == 503 && answer.text().contains("has no key"), "{}", answer.text());
        oidc.sign_in_as("vera-1", "vera@example.org").await;
    }
}

each_oidc_db! {
    async fn errors_of_the_token_endpoint_have_their_own_messages(oidc: OidcApp) {
        oidc.app.administrator().await;
        let run = async |identity: TestIdentity| {
            let mut vera = oidc.app.anonymous();
            let answer = oidc.run_flow_as(&mut vera, identity).await;
            assert_eq!(current_user(&mut vera).await, None);
            answer
        };
        let vera = || verified_identity("vera-1", "vera@example.org");
        let identifies = "Test &amp; Sons doesn't accept how this server identifies itself.";
        for (status, body, words, reason) in [
            (401, r#"{"error":"invalid_client","error_description":"secret-7"}"#, identifies, "invalid_client"),
            (400, r#"{"error":"unauthorized_client"}"#, identifies, "unauthorized_client"),
            (200, r#"{"error":"invalid_client"}"#, identifies, "invalid_client"),
            (401, "<html></html>", identifies, "401"),
            (404, "<html></html>", identifies, "404"),
            (200, "<html></html>", "Test &amp; Sons didn't say who you are.", "not JSON"),
        ] {
            oidc.app.state.clock.advance(3_601);
            oidc.provider.override_response("/token", (status, JSON, body));
            let answer = run(vera()).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.text());
            assert!(answer.text().contains(words) && !answer.text().contains("start again"), "{body}: {}", answer.text());
            let entry = setup_errors(&oidc).await.pop().expect("an entry");
            assert!(entry.contains(reason) && !entry.contains("secret-7"), "{entry}");
        }
        let count = setup_errors(&oidc).await.len();
        oidc.provider.override_response("/token", (400, JSON, r#"{"error":"invalid_grant"}"#));
        assert!(run(vera()).await.text().contains("start again"));
        for (status, body) in [(503, "<html></html>"), (429, "{}"), (400, r#"{"error":"temporarily_unavailable"}"#)] {
            oidc.provider.override_response("/token", (status, JSON, body));
            let answer = run(vera()).await;
            assert!(answer.status == 503 && answer.text().contains("right now"), "{body}: {}", answer.text());
        }
        assert_eq!(setup_errors(&oidc).await.len(), count);
        oidc.provider.clear_overrides();

        let signed = TestIdentity { signed: Signing::WithClientSecret, ..vera() };
        assert!(run(signed).await.text().contains("signed its answer in a way that isn't accepted here"));
        assert!(setup_errors(&oidc).await.pop().is_some_and(|entry| entry.contains("HS256")));
        for (claim, value) in [("exp", "-120"), ("iat", "-3600"), ("iat", "+3600"), ("nbf", "+3600")] {
            let mut identity = vera();
            identity.claims[claim] = json!(value);
            assert!(run(identity).await.text().contains("The clocks of Test &amp; Sons and this server don't agree."), "{claim}");
        }
        // Clocks may differ by up to a minute.
        let mut late = vera();
        late.claims["iat"] = json!("+45");
        late.claims["exp"] = json!("-45");
        oidc.provider.set_identity(late);
        assert_eq!(oidc.run_flow(&mut oidc.app.anonymous(), &[]).await.status, 303);
    }
}

each_oidc_db! {
    async fn errors_in_the_callback_have_their_own_messages(oidc: OidcApp) {
        oidc.app.administrator().await;
        for (error, status, words) in [
            ("access_denied", 400, "didn't sign you in. Try again, or sign in another way."),
            ("login_required", 400, "didn't sign you in. Try again, or sign in another way."),
            ("made_up", 400, "didn't sign you in. Try again, or sign in another way."),
            ("invalid_scope", 400, "rejected this server's request. Trying again won't help"),
            ("unauthorized_client", 400, "rejected this server's request. Trying again won't help"),
            ("temporarily_unavailable", 503, "isn't responding right now"),
        ] {
            let mut browser = oidc.app.anonymous();
            let back = oidc.callback_path(&mut browser, &[]).await;
            let state = back.split(['?', '&']).find(|part| part.starts_with("state=")).expect("a state");
            let answer = browser.get(&format!("/auth/test/callback?error={error}&{state}")).await;
            assert_refused(&mut browser, &answer, status, error).await;
            assert!(answer.text().contains(words), "{error}: {}", answer.text());
        }
        assert_eq!(setup_errors(&oidc).await.len(), 1);
        assert_eq!(oidc.provider.token_requests(), 0);
    }
}
