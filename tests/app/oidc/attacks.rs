//! Attacks: promises O01 to O06 and malformed callbacks.

use super::*;

each_oidc_db! {
    async fn o01_a_callback_works_once_and_only_in_the_same_browser(oidc: OidcApp) {
        oidc.app.administrator().await;
        let mut browser = oidc.app.anonymous();
        let back = oidc.callback_path(&mut browser, &[]).await;
        let code = back.split(['?', '&']).find(|part| part.starts_with("code=")).expect("a code").to_owned();

        let mut other = oidc.app.anonymous();
        let answer = other.get(&back).await;
        assert_refused(&mut other, &answer, 400, "a browser without a cookie").await;
        oidc.callback_path(&mut other, &[]).await;
        let answer = other.get(&back).await;
        assert_refused(&mut other, &answer, 400, "another browser").await;

        let kept = browser.clone();
        for (path, what) in [
            (format!("/auth/test/callback?{code}"), "no state"),
            (format!("/auth/test/callback?{code}&state="), "an empty state"),
            (format!("/auth/test/callback?{code}&state={}", "A".repeat(43)), "a wrong state"),
            (format!("{back}x"), "a longer state"),
            (back.replace("/auth/test/", "/auth/TEST/"), "another provider"),
        ] {
            let mut browser = kept.clone();
            let answer = browser.get(&path).await;
            let status = if what == "another provider" { 404 } else { 400 };
            assert_refused(&mut browser, &answer, status, what).await;
        }
        assert_eq!(oidc.provider.token_requests(), 0, "the provider is not asked");

        let mut thief = kept.clone();
        assert_eq!(browser.get(&back).await.status, 303);
        assert_eq!(oidc.provider.token_requests(), 1);
        let answer = thief.get(&back).await;
        assert_refused(&mut thief, &answer, 400, "used before").await;

        let mut late = oidc.app.anonymous();
        let back = oidc.callback_path(&mut late, &[]).await;
        oidc.app.state.clock.advance(660);
        let answer = late.get(&back).await;
        assert_refused(&mut late, &answer, 400, "eleven minutes old").await;
        assert_eq!(oidc.provider.token_requests(), 1, "the provider is not asked");
    }
}

each_oidc_db! {
    async fn o01_of_concurrent_callbacks_one_signs_in(oidc: OidcApp) {
        oidc.app.administrator().await;
        let mut browser = oidc.app.anonymous();
        let back = oidc.callback_path(&mut browser, &[]).await;
        let tries = (0..8).map(|_| {
            let (mut browser, back) = (browser.clone(), back.clone());
            tokio::spawn(async move { browser.get(&back).await.status.as_u16() })
        });
        let mut statuses = Vec::new();
        for tried in tries.collect::<Vec<_>>() {
            statuses.push(tried.await.expect("an answer"));
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![303], vec![400; 7]].concat());
        assert_eq!(oidc.provider.token_requests(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn o02_addresses_come_from_the_configuration() {
    for https in [false, true] {
        let oidc = OidcApp::start(Backend::Sqlite, |config| {
            config.url = https.then(|| PublicUrl { https, host: "127.0.0.1:3000".to_owned() });
        })
        .await;
        let mut browser = oidc.app.anonymous();
        browser.scheme = if https { "https" } else { "http" };
        let request = browser
            .request(Method::POST, "/auth/test/start")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "gopher")
            .header("forwarded", "host=evil.example;proto=https");
        let away = browser.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(away.status, 303, "{}", away.text());
        let address: Url = away.header("location").parse().expect("a URL");
        let redirect =
            address.query_pairs().find(|(name, _)| name == "redirect_uri").expect("a redirect").1.into_owned();
        assert_eq!(redirect, format!("{}://127.0.0.1:3000/auth/test/callback", browser.scheme));
        assert!(!away.header("location").contains("evil"));

        let cookie = away.header("set-cookie");
        let name = if https { "__Host-colloquy-flow=" } else { "colloquy-flow=" };
        assert!(cookie.starts_with(name), "{cookie}");
        for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        assert_eq!(cookie.contains("; Secure"), https, "{cookie}");

        let mut request = browser.request(Method::POST, "/auth/test/start");
        request.headers_mut().expect("headers").insert("host", "evil.example".parse().expect("a value"));
        let answer = browser.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, 421);
    }
}

each_oidc_db! {
    async fn o03_only_issuer_and_subject_identify_a_person(oidc: OidcApp) {
        oidc.app.administrator().await;
        let mut vera = oidc.sign_in_as("ver%_a", "vera@example.org").await;
        let vera = current_user(&mut vera).await.expect("Vera");
        for (index, subject) in ["VER%_A", "ver%_", "ver__a", "%", "_", "ver%_a ", " ver%_a", "ver%25_a"].iter().enumerate() {
            let mut same = oidc.app.anonymous();
            let answer = oidc.run_flow_as(&mut same, verified_identity(subject, "vera@example.org")).await;
            assert_refused(&mut same, &answer, 409, subject).await;
            let mut other = oidc.sign_in_as(subject, &format!("v{index}@example.org")).await;
            assert_ne!(current_user(&mut other).await.expect("a user").id, vera.id, "{subject}");
        }
        // The same subject with another address is the same account.
        let mut again = oidc.sign_in_as("ver%_a", "other@example.org").await;
        assert_eq!(current_user(&mut again).await, Some(vera));
    }
}

each_oidc_db! {
    async fn o04_an_account_is_never_linked_by_its_address(oidc: OidcApp) {
        let mut ada = oidc.app.administrator().await;
        for address in ["ada@example.org", "ADA@Example.Org"] {
            let mut other = oidc.app.anonymous();
            let answer = oidc.run_flow_as(&mut other, verified_identity("ada-1", address)).await;
            assert_refused(&mut other, &answer, 409, address).await;
            assert!(answer.text().contains("There's already an account with this email. Sign in with its password, then connect the provider in Settings."), "{}", answer.text());
        }
        assert_eq!(identities(&mut ada).await, []);
        // Conversely, an account without a password cannot be taken over by one.
        let mut vera = oidc.sign_in_as("vera-1", "vera@example.org").await;
        let mut thief = oidc.app.anonymous();
        let form = [("email", "vera@example.org"), ("name", "Vera"), ("password", PASSWORD)];
        assert_eq!(thief.post_form("/api/sign_up", &form).await.status, 409);
        for guess in ["", "x", PASSWORD] {
            let form = [("email", "vera@example.org"), ("password", guess)];
            let refused = thief.post_form("/api/sign_in", &form).await;
            let unknown = thief.post_form("/api/sign_in", &[("email", "nobody@example.org"), ("password", guess)]).await;
            assert_eq!((refused.status.as_u16(), &refused.body), (422, &unknown.body), "{guess:?}");
        }
        assert_eq!(current_user(&mut thief).await, None);
        assert!(current_user(&mut vera).await.is_some());
    }
}

each_oidc_db! {
    async fn o05_forged_tokens_are_refused(oidc: OidcApp) {
        oidc.app.administrator().await;
        let known = oidc.sign_in_as("vera-1", "vera@example.org").await;
        drop(known);
        let good = verified_identity("vera-1", "vera@example.org");
        let signed = |signed| TestIdentity { signed, ..good.clone() };
        let claims = |name: &str, value: serde_json::Value| {
            let mut identity = good.clone();
            identity.claims[name] = value;
            identity
        };
        let header = |header| TestIdentity { header, ..good.clone() };
        let ours = oidc.provider.config().client_id;
        let forgeries = [
            ("no signature", signed(Signing::Unsigned)),
            ("the public key as a secret", signed(Signing::WithPublicKey)),
            ("the client's secret", signed(Signing::WithClientSecret)),
            ("another key", signed(Signing::OtherKey)),
            ("changed after it was signed", signed(Signing::Tampered)),
            ("another key id", header(json!({ "kid": "other" }))),
            ("a critical header", header(json!({ "crit": ["exp"] }))),
            ("an unknown algorithm", header(json!({ "alg": "XS256" }))),
            ("none in the header", header(json!({ "alg": "none" }))),
            ("another audience", claims("aud", json!("other"))),
            ("no audience", claims("aud", json!([]))),
            ("a further audience", claims("aud", json!([ours, "other"]))),
            ("another party", claims("azp", json!("other"))),
            ("another issuer", claims("iss", json!("http://127.0.0.1:1"))),
            ("the issuer with a slash", claims("iss", json!(format!("{}/", oidc.provider.issuer())))),
            ("another nonce", claims("nonce", json!("other"))),
            ("no nonce", claims("nonce", json!(null))),
            ("expired", claims("exp", json!("-120"))),
            ("without an end", claims("exp", json!(null))),
            ("issued long ago", claims("iat", json!("-3600"))),
            ("issued in the future", claims("iat", json!("+3600"))),
            ("an unverified address", claims("email_verified", json!(false))),
            ("an address without `email_verified`", claims("email_verified", json!(null))),
            ("no address", claims("email", json!(null))),
            ("a malformed address", claims("email", json!("vera@example.org\r\nBcc: x@example.org"))),
            ("no subject", claims("sub", json!(null))),
            ("an empty subject", claims("sub", json!(""))),
            ("a subject with a NUL", claims("sub", json!("vera-1\0"))),
            ("a subject that is too long", claims("sub", json!("x".repeat(256)))),
        ];
        for (what, identity) in forgeries {
            let mut browser = oidc.app.anonymous();
            let answer = oidc.run_flow_as(&mut browser, identity).await;
            assert_refused(&mut browser, &answer, 400, what).await;
        }
        oidc.sign_in_as("vera-1", "vera@example.org").await;
    }
}

each_oidc_db! {
    async fn o06_no_redirect_leaves_the_site(oidc: OidcApp) {
        for next in [
            "//evil.example", "/\\evil.example", "\\/evil.example", "https:evil.example", "https://evil.example", "@evil.example",
            "evil.example", "/\t/evil.example", "/\r\nLocation: //evil.example", "data:text/html,x", "javascript:alert(1)",
            "///evil.example", "/\\/evil.example", "\\\\evil.example", " //evil.example", "http:///evil.example",
            "\u{2044}/evil.example", "/\u{0000}/evil.example", "?//evil.example", "#//evil.example",
        ] {
            let mut browser = oidc.app.anonymous();
            let done = oidc.run_flow(&mut browser, &[("next", next)]).await;
            assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"), "{next:?}");
        }
        for next in ["/%2f/evil.example", "/a//evil.example", "/sessions?next=//evil.example"] {
            let mut browser = oidc.app.anonymous();
            let done = oidc.run_flow(&mut browser, &[("next", next)]).await;
            assert_eq!(done.header("location"), next);
        }
        // Parameters of the callback do not set the redirect.
        let mut browser = oidc.app.anonymous();
        let back = oidc.callback_path(&mut browser, &[]).await;
        let done = browser.get(&format!("{back}&next=//evil.example")).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"));
    }
}

each_oidc_db! {
    async fn row_69_malformed_callbacks_are_refused_and_not_echoed(oidc: OidcApp) {
        oidc.app.administrator().await;
        let oddities = [
            "error=%3Cscript%3Ealert(1)%3C%2Fscript%3E&error_description=%3Cimg%20src%3Dx%20onerror%3Dalert(2)%3E",
            "error=access_denied&code=code-1",
            "code=one&code=two",
            "code=one&iss=https%3A%2F%2Fevil.example",
            "code=%3Cscript%3E",
            "code=",
            "",
        ];
        for odd in oddities {
            let mut browser = oidc.app.anonymous();
            let back = oidc.callback_path(&mut browser, &[]).await;
            let state = back.split(['?', '&']).find(|part| part.starts_with("state=")).expect("a state");
            let answer = browser.get(&format!("/auth/test/callback?{odd}&{state}")).await;
            assert_refused(&mut browser, &answer, 400, odd).await;
            for text in ["<script", "<img", "alert(", "access_denied", "evil"] {
                assert!(!answer.text().contains(text), "{odd}: {}", answer.text());
            }
        }
        let mut twice = oidc.app.anonymous();
        let back = oidc.callback_path(&mut twice, &[]).await;
        let state = back.split(['?', '&']).find(|part| part.starts_with("state=")).expect("a state");
        let answer = twice.get(&format!("{back}&{state}")).await;
        assert_refused(&mut twice, &answer, 400, "two states").await;
    }
}
