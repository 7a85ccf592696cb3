//! What must not work: promises O01 to O06 and odd ways back.

use super::*;

each_house! {
    async fn o01_a_way_back_is_used_once_by_the_browser_that_began_it(house: House) {
        house.app.administrator().await;
        let mut browser = house.app.stranger();
        let back = house.way_back(&mut browser, &[]).await;
        let code = back.split(['?', '&']).find(|part| part.starts_with("code=")).expect("a code").to_owned();

        let mut other = house.app.stranger();
        let answer = other.get(&back).await;
        assert_refused(&mut other, &answer, 400, "a browser without a cookie").await;
        house.way_back(&mut other, &[]).await;
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
        assert_eq!(house.provider.tokens(), 0, "the provider is not asked");

        let mut thief = kept.clone();
        assert_eq!(browser.get(&back).await.status, 303);
        assert_eq!(house.provider.tokens(), 1);
        let answer = thief.get(&back).await;
        assert_refused(&mut thief, &answer, 400, "used before").await;

        let mut late = house.app.stranger();
        let back = house.way_back(&mut late, &[]).await;
        house.app.state.clock.advance(660);
        let answer = late.get(&back).await;
        assert_refused(&mut late, &answer, 400, "eleven minutes old").await;
        assert_eq!(house.provider.tokens(), 1, "the provider is not asked");
    }
}

each_house! {
    async fn o01_of_many_at_once_one_comes_in(house: House) {
        house.app.administrator().await;
        let mut browser = house.app.stranger();
        let back = house.way_back(&mut browser, &[]).await;
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
        assert_eq!(house.provider.tokens(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn o02_addresses_come_from_the_configuration() {
    for https in [false, true] {
        let house = House::start(Kept::Sqlite, |config| {
            config.url = https.then(|| PublicUrl { https, host: "127.0.0.1:3000".to_owned() });
        })
        .await;
        let mut browser = house.app.stranger();
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

each_house! {
    async fn o03_only_issuer_and_subject_say_who_it_is(house: House) {
        house.app.administrator().await;
        let mut vera = house.guest("ver%_a", "vera@example.org").await;
        let vera = who(&mut vera).await.expect("Vera");
        for (index, subject) in ["VER%_A", "ver%_", "ver__a", "%", "_", "ver%_a ", " ver%_a", "ver%25_a"].iter().enumerate() {
            let mut same = house.app.stranger();
            let answer = house.visit_as(&mut same, person(subject, "vera@example.org")).await;
            assert_refused(&mut same, &answer, 409, subject).await;
            let mut other = house.guest(subject, &format!("v{index}@example.org")).await;
            assert_ne!(who(&mut other).await.expect("somebody").id, vera.id, "{subject}");
        }
        // Another address of the same person is the same person.
        let mut again = house.guest("ver%_a", "other@example.org").await;
        assert_eq!(who(&mut again).await, Some(vera));
    }
}

each_house! {
    async fn o04_an_account_is_never_linked_by_its_address(house: House) {
        let mut ada = house.app.administrator().await;
        for address in ["ada@example.org", "ADA@Example.Org"] {
            let mut other = house.app.stranger();
            let answer = house.visit_as(&mut other, person("ada-1", address)).await;
            assert_refused(&mut other, &answer, 409, address).await;
            assert!(answer.text().contains("An account with this address exists. Sign in with its password, then link the provider in the settings."), "{}", answer.text());
        }
        assert_eq!(identities(&mut ada).await, []);
        // The other way round: whoever came by a provider is not taken over by a password.
        let mut vera = house.guest("vera-1", "vera@example.org").await;
        let mut thief = house.app.stranger();
        let form = [("email", "vera@example.org"), ("name", "Vera"), ("password", PASSWORD)];
        assert_eq!(thief.post_form("/api/sign_up", &form).await.status, 409);
        for guess in ["", "x", PASSWORD] {
            let form = [("email", "vera@example.org"), ("password", guess)];
            let refused = thief.post_form("/api/sign_in", &form).await;
            let unknown = thief.post_form("/api/sign_in", &[("email", "nobody@example.org"), ("password", guess)]).await;
            assert_eq!((refused.status.as_u16(), &refused.body), (422, &unknown.body), "{guess:?}");
        }
        assert_eq!(who(&mut thief).await, None);
        assert!(who(&mut vera).await.is_some());
    }
}

each_house! {
    async fn o05_forged_tokens_let_nobody_in(house: House) {
        house.app.administrator().await;
        let known = house.guest("vera-1", "vera@example.org").await;
        drop(known);
        let good = person("vera-1", "vera@example.org");
        let signed = |signed| Plan { signed, ..good.clone() };
        let claims = |name: &str, value: serde_json::Value| {
            let mut plan = good.clone();
            plan.claims[name] = value;
            plan
        };
        let header = |header| Plan { header, ..good.clone() };
        let ours = house.provider.config().client_id;
        let forgeries = [
            ("no signature", signed(Signed::Not)),
            ("the public key as a secret", signed(Signed::WithPublicKey)),
            ("the client's secret", signed(Signed::WithClientSecret)),
            ("another key", signed(Signed::ByAnother)),
            ("changed after it was signed", signed(Signed::ThenChanged)),
            ("another key id", header(json!({ "kid": "other" }))),
            ("a critical header", header(json!({ "crit": ["exp"] }))),
            ("an unknown algorithm", header(json!({ "alg": "XS256" }))),
            ("none in the header", header(json!({ "alg": "none" }))),
            ("another audience", claims("aud", json!("other"))),
            ("no audience", claims("aud", json!([]))),
            ("a further audience", claims("aud", json!([ours, "other"]))),
            ("another party", claims("azp", json!("other"))),
            ("another issuer", claims("iss", json!("http://127.0.0.1:1"))),
            ("the issuer with a slash", claims("iss", json!(format!("{}/", house.provider.issuer())))),
            ("another nonce", claims("nonce", json!("other"))),
            ("no nonce", claims("nonce", json!(null))),
            ("expired", claims("exp", json!("-120"))),
            ("without an end", claims("exp", json!(null))),
            ("issued long ago", claims("iat", json!("-3600"))),
            ("issued in the future", claims("iat", json!("+3600"))),
            ("an address that nobody verified", claims("email_verified", json!(false))),
            ("an address of which nothing is said", claims("email_verified", json!(null))),
            ("no address", claims("email", json!(null))),
            ("an address that is none", claims("email", json!("vera@example.org\r\nBcc: x@example.org"))),
            ("no subject", claims("sub", json!(null))),
            ("an empty subject", claims("sub", json!(""))),
            ("a subject with a NUL", claims("sub", json!("vera-1\0"))),
            ("a subject that is too long", claims("sub", json!("x".repeat(256)))),
        ];
        for (what, plan) in forgeries {
            let mut browser = house.app.stranger();
            let answer = house.visit_as(&mut browser, plan).await;
            assert_refused(&mut browser, &answer, 400, what).await;
        }
        house.guest("vera-1", "vera@example.org").await;
    }
}

each_house! {
    async fn o06_nobody_is_sent_elsewhere(house: House) {
        for next in [
            "//evil.example", "/\\evil.example", "\\/evil.example", "https:evil.example", "https://evil.example", "@evil.example",
            "evil.example", "/\t/evil.example", "/\r\nLocation: //evil.example", "data:text/html,x", "javascript:alert(1)",
            "///evil.example", "/\\/evil.example", "\\\\evil.example", " //evil.example", "http:///evil.example",
            "\u{2044}/evil.example", "/\u{0000}/evil.example", "?//evil.example", "#//evil.example",
        ] {
            let mut browser = house.app.stranger();
            let done = house.visit(&mut browser, &[("next", next)]).await;
            assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"), "{next:?}");
        }
        for next in ["/%2f/evil.example", "/a//evil.example", "/sessions?next=//evil.example"] {
            let mut browser = house.app.stranger();
            let done = house.visit(&mut browser, &[("next", next)]).await;
            assert_eq!(done.header("location"), next);
        }
        // Nothing that comes back says where to go.
        let mut browser = house.app.stranger();
        let back = house.way_back(&mut browser, &[]).await;
        let done = browser.get(&format!("{back}&next=//evil.example")).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"));
    }
}

each_house! {
    async fn row_69_odd_ways_back_are_refused_and_nothing_of_them_is_shown(house: House) {
        house.app.administrator().await;
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
            let mut browser = house.app.stranger();
            let back = house.way_back(&mut browser, &[]).await;
            let state = back.split(['?', '&']).find(|part| part.starts_with("state=")).expect("a state");
            let answer = browser.get(&format!("/auth/test/callback?{odd}&{state}")).await;
            assert_refused(&mut browser, &answer, 400, odd).await;
            for text in ["<script", "<img", "alert(", "access_denied", "evil"] {
                assert!(!answer.text().contains(text), "{odd}: {}", answer.text());
            }
        }
        let mut twice = house.app.stranger();
        let back = house.way_back(&mut twice, &[]).await;
        let state = back.split(['?', '&']).find(|part| part.starts_with("state=")).expect("a state");
        let answer = twice.get(&format!("{back}&{state}")).await;
        assert_refused(&mut twice, &answer, 400, "two states").await;
    }
}
