//! Differences between providers that conform to the standards: where and in which form they send claims.

use super::*;

/// Vera's identity with these claims merged over hers.
fn vera_with(claims: &serde_json::Value) -> TestIdentity {
    let mut identity = verified_identity("vera-1", "vera@example.org");
    for (name, value) in claims.as_object().expect("an object") {
        identity.claims[name] = value.clone();
    }
    identity
}

/// Checks that Vera is signed in with these claims.
async fn assert_signed_in(oidc: &OidcApp, claims: serde_json::Value) {
    let mut vera = oidc.app.anonymous();
    let done = oidc.run_flow_as(&mut vera, vera_with(&claims)).await;
    assert_eq!(done.status, 303, "{claims}: {}", done.text());
    assert_eq!(current_user(&mut vera).await.expect("Vera").email, "vera@example.org", "{claims}");
}

/// Checks that Vera is refused with these claims, and sees this text.
async fn assert_refused_with(oidc: &OidcApp, claims: serde_json::Value, words: &str) {
    let mut vera = oidc.app.anonymous();
    let answer = oidc.run_flow_as(&mut vera, vera_with(&claims)).await;
    assert_refused(&mut vera, &answer, 400, &claims.to_string()).await;
    assert!(answer.text().contains(words), "{claims}: {}", answer.text());
    assert!(words.contains("start again") || !answer.text().contains("start again"), "{claims}: {}", answer.text());
}

const BEGIN_AGAIN: &str = "start again";
const UNCONFIRMED: &str = "Test &amp; Sons hasn't confirmed your email. Confirm it there";
const UNSTATED: &str =
    "Test &amp; Sons hasn't confirmed your email, or doesn't say so. Trying again won't help. Tell your administrator";
const NO_ADDRESS: &str = "Test &amp; Sons didn't give us your email.";

each_oidc_db! {
    async fn a_token_with_several_audiences_is_accepted_if_issued_to_this_client(oidc: OidcApp) {
        oidc.app.administrator().await;
        let ours = oidc.provider.config().client_id;
        assert_signed_in(&oidc, json!({ "aud": [ours, "project-7"], "azp": ours })).await;
        assert_signed_in(&oidc, json!({ "aud": ["project-7", "other", ours], "azp": ours })).await;
        assert_signed_in(&oidc, json!({ "aud": [ours] })).await;
        let other = "Test &amp; Sons issued its answer for another application.";
        for (aud, azp) in [
            (json!([ours, "project-7"]), json!(null)),
            (json!([ours, "project-7"]), json!("project-7")),
            (json!(["project-7"]), json!(ours)),
            (json!(ours), json!("project-7")),
        ] {
            assert_refused_with(&oidc, json!({ "aud": aud, "azp": azp }), other).await;
        }
    }
}

each_oidc_db! {
    async fn missing_claims_are_read_from_the_userinfo_endpoint(oidc: OidcApp) {
        oidc.app.administrator().await;
        let bare = json!({ "email": null, "email_verified": null, "name": null });
        let known = json!({ "sub": "vera-1", "email": "vera@example.org", "email_verified": true, "name": "Vera V.", "picture": "x" });
        for signed in [false, true] {
            oidc.provider.set_userinfo(known.clone(), signed);
            oidc.app.state.clock.advance(3_601);
            assert_signed_in(&oidc, bare.clone()).await;
        }
        assert_eq!(oidc.app.column("select name from users where email_key = 'vera@example.org'").await, ["Vera V."]);

        // `email_verified` as a string, and other claims in unexpected forms.
        let mut odd = known.clone();
        odd["email_verified"] = json!("true");
        odd["updated_at"] = json!("2026-01-01");
        odd["address"] = json!("Somewhere 7");
        odd["phone_number_verified"] = json!("no");
        oidc.provider.set_userinfo(odd, false);
        assert_signed_in(&oidc, bare.clone()).await;
        // The token has the address, and only the userinfo endpoint has `email_verified`.
        assert_signed_in(&oidc, json!({ "email_verified": null })).await;

        // If neither has both the address and its confirmation, the sign-in is refused.
        let without = |name: &str| {
            let mut less = known.clone();
            less[name] = json!(null);
            less
        };
        oidc.provider.set_userinfo(without("email_verified"), false);
        assert_refused_with(&oidc, json!({ "email": null }), UNSTATED).await;
        oidc.provider.set_userinfo(without("email"), false);
        assert_refused_with(&oidc, json!({ "email_verified": null }), UNSTATED).await;
        assert_refused_with(&oidc, bare.clone(), NO_ADDRESS).await;
        // An explicit `false` in the token takes precedence over the userinfo endpoint.
        oidc.provider.set_userinfo(known.clone(), false);
        assert_refused_with(&oidc, json!({ "email_verified": false }), UNCONFIRMED).await;
        assert_refused_with(&oidc, json!({ "email": null, "email_verified": false }), UNCONFIRMED).await;
        let mut no = known.clone();
        no["email_verified"] = json!(false);
        oidc.provider.set_userinfo(no, false);
        assert_refused_with(&oidc, bare.clone(), UNCONFIRMED).await;

        // Claims of another subject are not used.
        for subject in [json!("mallory-1"), json!(null), json!(""), json!(7), json!(["vera-1"])] {
            let mut other = known.clone();
            other["sub"] = subject;
            for signed in [false, true] {
                oidc.provider.set_userinfo(other.clone(), signed);
                assert_refused_with(&oidc, bare.clone(), BEGIN_AGAIN).await;
            }
        }
        let mut foreign = known.clone();
        foreign["iss"] = json!("https://login.example");
        oidc.provider.set_userinfo(foreign, true);
        assert_refused_with(&oidc, bare, BEGIN_AGAIN).await;
    }
}

each_oidc_db! {
    async fn a_failing_userinfo_endpoint_is_reported_only_if_it_is_needed(oidc: OidcApp) {
        oidc.app.administrator().await;
        let bare = json!({ "email": null, "email_verified": null });
        oidc.provider.set_userinfo(json!({}), false);
        oidc.app.state.clock.advance(3_601);
        let unusable = "Test &amp; Sons didn't give us your email when asked.";
        for (status, kind, body) in [
            (401, "application/json", "{}"),
            (403, "text/html", "<p>no</p>"),
            (404, "text/html", "<p>no</p>"),
            (302, "text/html", ""),
            (200, "text/html", "<html></html>"),
            (200, "application/json", "[]"),
            (200, "application/json", "{"),
        ] {
            oidc.provider.override_response("/userinfo", (status, kind, body));
            let mut vera = oidc.app.anonymous();
            let answer = oidc.run_flow_as(&mut vera, vera_with(&bare)).await;
            assert_refused(&mut vera, &answer, 400, body).await;
            assert!(answer.text().contains(unusable), "{status} {body}: {}", answer.text());
            // If only the name is missing, the sign-in succeeds.
            assert_signed_in(&oidc, json!({ "name": null })).await;
        }
        for status in [500, 502, 429] {
            oidc.provider.override_response("/userinfo", (status, "text/html", "<p>later</p>"));
            let mut vera = oidc.app.anonymous();
            let answer = oidc.run_flow_as(&mut vera, vera_with(&bare)).await;
            assert_refused(&mut vera, &answer, 503, "later").await;
            assert!(answer.text().contains("isn't responding right now"), "{}", answer.text());
        }
    }
}

each_oidc_db! {
    async fn an_address_is_verified_only_by_an_explicit_true(oidc: OidcApp) {
        oidc.app.administrator().await;
        for yes in [json!("true"), json!("True"), json!(true)] {
            assert_signed_in(&oidc, json!({ "email_verified": yes })).await;
        }
        for no in [json!(false), json!("false"), json!("FALSE")] {
            assert_refused_with(&oidc, json!({ "email_verified": no }), UNCONFIRMED).await;
        }
        assert_eq!(oidc.app.column("select detail from audit where action = 'setup_fault'").await, Vec::<String>::new());
        for odd in [json!(null), json!("yes"), json!(1), json!("1"), json!(["true"])] {
            assert_refused_with(&oidc, json!({ "email_verified": odd }), UNSTATED).await;
        }
        assert_refused_with(&oidc, json!({ "email": null }), NO_ADDRESS).await;
        assert_refused_with(&oidc, json!({ "email": "vera" }), "gave us an email address for you that can't be used here").await;
        // Each problem is recorded once for administrators, with the name of the claim.
        let entries = oidc.app.column("select detail from audit where action = 'setup_fault' order by at, id").await;
        assert_eq!(entries.len(), 2, "{entries:?}");
        assert!(entries[0].contains("Test & Sons") && entries[0].contains("`email_verified`"), "{entries:?}");
        assert!(entries[1].contains("`email`"), "{entries:?}");
        oidc.app.state.clock.advance(3_601);
        assert_refused_with(&oidc, json!({ "email": null }), NO_ADDRESS).await;
        let entries = oidc.app.column("select detail from audit where action = 'setup_fault'").await;
        assert_eq!(entries.len(), 3, "once an hour: {entries:?}");
    }
}

each_oidc_db! {
    async fn malformed_unneeded_claims_are_ignored(oidc: OidcApp) {
        oidc.app.administrator().await;
        for claims in [
            json!({ "updated_at": "2026-11-21T08:00:00Z", "address": "Somewhere 7", "phone_number_verified": "maybe" }),
            json!({ "amr": "pwd", "acr": 1, "locale": 7, "picture": { "url": "x" }, "zoneinfo": [] }),
            json!({ "name": { "first": "Vera" }, "given_name": null, "birthdate": 1977, "at_hash": 7 }),
            json!({ "auth_time": "1700000000", "nbf": "-30" }),
        ] {
            assert_signed_in(&oidc, claims).await;
        }
        for answer in [
            json!({ "expires_in": null }),
            json!({ "expires_in": "3600" }),
            json!({ "expires_in": 3600.5, "token_type": "bearer" }),
            json!({ "token_type": null, "scope": ["openid"] }),
            json!({ "refresh_token": 7, "access_token": null }),
        ] {
            oidc.provider.set_token_response(answer.clone());
            assert_signed_in(&oidc, json!({})).await;
        }
        for answer in [json!({ "id_token": null }), json!({ "id_token": "" }), json!({ "id_token": 7 })] {
            oidc.provider.set_token_response(answer);
            assert_refused_with(&oidc, json!({}), "Test &amp; Sons didn't say who you are.").await;
        }
        for answer in [json!({ "id_token": "a.b" }), json!({ "id_token": "..." }), json!({ "id_token": "eyJ.eyJ.x" })] {
            oidc.provider.set_token_response(answer);
            assert_refused_with(&oidc, json!({}), BEGIN_AGAIN).await;
        }
        oidc.provider.set_token_response(json!({ "id_token": "a.b.c.d.e" }));
        assert_refused_with(&oidc, json!({}), "Test &amp; Sons encrypted its answer").await;
    }
}
