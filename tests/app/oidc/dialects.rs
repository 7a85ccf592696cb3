//! Providers that keep to the standards and differ all the same: what they say where, in which form.

use super::*;

/// Claims put over those of Vera.
fn vera_with(claims: &serde_json::Value) -> Plan {
    let mut plan = person("vera-1", "vera@example.org");
    for (name, value) in claims.as_object().expect("an object") {
        plan.claims[name] = value.clone();
    }
    plan
}

/// Vera comes, and is in.
async fn assert_in(house: &House, claims: serde_json::Value) {
    let mut vera = house.app.stranger();
    let done = house.visit_as(&mut vera, vera_with(&claims)).await;
    assert_eq!(done.status, 303, "{claims}: {}", done.text());
    assert_eq!(who(&mut vera).await.expect("Vera").email, "vera@example.org", "{claims}");
}

/// Vera comes, and is told this.
async fn assert_told(house: &House, claims: serde_json::Value, words: &str) {
    let mut vera = house.app.stranger();
    let answer = house.visit_as(&mut vera, vera_with(&claims)).await;
    assert_refused(&mut vera, &answer, 400, &claims.to_string()).await;
    assert!(answer.text().contains(words), "{claims}: {}", answer.text());
    assert!(words.contains("begin again") || !answer.text().contains("begin again"), "{claims}: {}", answer.text());
}

const BEGIN_AGAIN: &str = "begin again";
const UNCONFIRMED: &str = "Test &amp; Sons has not confirmed your e-mail address. Confirm it there";
const UNSTATED: &str = "Test &amp; Sons has not confirmed your e-mail address, or does not say so. Trying again does not help: please tell your administrator";
const NO_ADDRESS: &str = "Test &amp; Sons did not say what your e-mail address is.";

each_house! {
    async fn a_token_of_several_audiences_lets_in_where_it_was_issued_to_us(house: House) {
        house.app.administrator().await;
        let ours = house.provider.config().client_id;
        assert_in(&house, json!({ "aud": [ours, "project-7"], "azp": ours })).await;
        assert_in(&house, json!({ "aud": ["project-7", "other", ours], "azp": ours })).await;
        assert_in(&house, json!({ "aud": [ours] })).await;
        let other = "Test &amp; Sons made its answer for another application.";
        for (aud, azp) in [
            (json!([ours, "project-7"]), json!(null)),
            (json!([ours, "project-7"]), json!("project-7")),
            (json!(["project-7"]), json!(ours)),
            (json!(ours), json!("project-7")),
        ] {
            assert_told(&house, json!({ "aud": aud, "azp": azp }), other).await;
        }
    }
}

each_house! {
    async fn what_the_token_leaves_out_is_asked_for_at_the_userinfo_endpoint(house: House) {
        house.app.administrator().await;
        let bare = json!({ "email": null, "email_verified": null, "name": null });
        let known = json!({ "sub": "vera-1", "email": "vera@example.org", "email_verified": true, "name": "Vera V.", "picture": "x" });
        for signed in [false, true] {
            house.provider.knows(known.clone(), signed);
            house.app.state.clock.advance(3_601);
            assert_in(&house, bare.clone()).await;
        }
        assert_eq!(house.app.column("select name from users where email_key = 'vera@example.org'").await, ["Vera V."]);

        // The claim as a text, and what a provider adds in any form.
        let mut odd = known.clone();
        odd["email_verified"] = json!("true");
        odd["updated_at"] = json!("2026-01-01");
        odd["address"] = json!("Somewhere 7");
        odd["phone_number_verified"] = json!("no");
        house.provider.knows(odd, false);
        assert_in(&house, bare.clone()).await;
        // The token holds the address, and only the endpoint says that it is confirmed.
        assert_in(&house, json!({ "email_verified": null })).await;

        // An address and its confirmation must come in one answer.
        let without = |name: &str| {
            let mut less = known.clone();
            less[name] = json!(null);
            less
        };
        house.provider.knows(without("email_verified"), false);
        assert_told(&house, json!({ "email": null }), UNSTATED).await;
        house.provider.knows(without("email"), false);
        assert_told(&house, json!({ "email_verified": null }), UNSTATED).await;
        assert_told(&house, bare.clone(), NO_ADDRESS).await;
        // No answer outweighs a clear no.
        house.provider.knows(known.clone(), false);
        assert_told(&house, json!({ "email_verified": false }), UNCONFIRMED).await;
        assert_told(&house, json!({ "email": null, "email_verified": false }), UNCONFIRMED).await;
        let mut no = known.clone();
        no["email_verified"] = json!(false);
        house.provider.knows(no, false);
        assert_told(&house, bare.clone(), UNCONFIRMED).await;

        // Of somebody else, nothing is taken.
        for stranger in [json!("mallory-1"), json!(null), json!(""), json!(7), json!(["vera-1"])] {
            let mut other = known.clone();
            other["sub"] = stranger;
            for signed in [false, true] {
                house.provider.knows(other.clone(), signed);
                assert_told(&house, bare.clone(), BEGIN_AGAIN).await;
            }
        }
        let mut foreign = known.clone();
        foreign["iss"] = json!("https://login.example");
        house.provider.knows(foreign, true);
        assert_told(&house, bare, BEGIN_AGAIN).await;
    }
}

each_house! {
    async fn a_userinfo_endpoint_that_fails_says_so_and_is_missed_only_where_it_is_needed(house: House) {
        house.app.administrator().await;
        let bare = json!({ "email": null, "email_verified": null });
        house.provider.knows(json!({}), false);
        house.app.state.clock.advance(3_601);
        let unusable = "Test &amp; Sons did not say what your e-mail address is, where it was asked for it.";
        for (status, kind, body) in [
            (401, "application/json", "{}"),
            (403, "text/html", "<p>no</p>"),
            (404, "text/html", "<p>no</p>"),
            (302, "text/html", ""),
            (200, "text/html", "<html></html>"),
            (200, "application/json", "[]"),
            (200, "application/json", "{"),
        ] {
            house.provider.says_instead("/userinfo", (status, kind, body));
            let mut vera = house.app.stranger();
            let answer = house.visit_as(&mut vera, vera_with(&bare)).await;
            assert_refused(&mut vera, &answer, 400, body).await;
            assert!(answer.text().contains(unusable), "{status} {body}: {}", answer.text());
            // Only the name is missing.
            assert_in(&house, json!({ "name": null })).await;
        }
        for status in [500, 502, 429] {
            house.provider.says_instead("/userinfo", (status, "text/html", "<p>later</p>"));
            let mut vera = house.app.stranger();
            let answer = house.visit_as(&mut vera, vera_with(&bare)).await;
            assert_refused(&mut vera, &answer, 503, "later").await;
            assert!(answer.text().contains("does not answer right now"), "{}", answer.text());
        }
    }
}

each_house! {
    async fn only_a_clear_yes_confirms_an_address_and_all_else_is_told_in_words(house: House) {
        house.app.administrator().await;
        for yes in [json!("true"), json!("True"), json!(true)] {
            assert_in(&house, json!({ "email_verified": yes })).await;
        }
        for no in [json!(false), json!("false"), json!("FALSE")] {
            assert_told(&house, json!({ "email_verified": no }), UNCONFIRMED).await;
        }
        assert_eq!(house.app.column("select detail from audit where action = 'setup_fault'").await, Vec::<String>::new());
        for odd in [json!(null), json!("yes"), json!(1), json!("1"), json!(["true"])] {
            assert_told(&house, json!({ "email_verified": odd }), UNSTATED).await;
        }
        assert_told(&house, json!({ "email": null }), NO_ADDRESS).await;
        assert_told(&house, json!({ "email": "vera" }), "gives an e-mail address of yours that cannot be used here").await;
        // Administrators are told once of each, with the name of the claim.
        let told = house.app.column("select detail from audit where action = 'setup_fault' order by at, id").await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("Test & Sons") && told[0].contains("`email_verified`"), "{told:?}");
        assert!(told[1].contains("`email`"), "{told:?}");
        house.app.state.clock.advance(3_601);
        assert_told(&house, json!({ "email": null }), NO_ADDRESS).await;
        let told = house.app.column("select detail from audit where action = 'setup_fault'").await;
        assert_eq!(told.len(), 3, "once an hour: {told:?}");
    }
}

each_house! {
    async fn odd_forms_of_what_nobody_needs_keep_nobody_out(house: House) {
        house.app.administrator().await;
        for claims in [
            json!({ "updated_at": "2026-11-21T08:00:00Z", "address": "Somewhere 7", "phone_number_verified": "maybe" }),
            json!({ "amr": "pwd", "acr": 1, "locale": 7, "picture": { "url": "x" }, "zoneinfo": [] }),
            json!({ "name": { "first": "Vera" }, "given_name": null, "birthdate": 1977, "at_hash": 7 }),
            json!({ "auth_time": "1700000000", "nbf": "-30" }),
        ] {
            assert_in(&house, claims).await;
        }
        for answer in [
            json!({ "expires_in": null }),
            json!({ "expires_in": "3600" }),
            json!({ "expires_in": 3600.5, "token_type": "bearer" }),
            json!({ "token_type": null, "scope": ["openid"] }),
            json!({ "refresh_token": 7, "access_token": null }),
        ] {
            house.provider.gives(answer.clone());
            assert_in(&house, json!({})).await;
        }
        for answer in [json!({ "id_token": null }), json!({ "id_token": "" }), json!({ "id_token": 7 })] {
            house.provider.gives(answer);
            assert_told(&house, json!({}), "Test &amp; Sons did not say who you are.").await;
        }
        for answer in [json!({ "id_token": "a.b" }), json!({ "id_token": "..." }), json!({ "id_token": "eyJ.eyJ.x" })] {
            house.provider.gives(answer);
            assert_told(&house, json!({}), BEGIN_AGAIN).await;
        }
        house.provider.gives(json!({ "id_token": "a.b.c.d.e" }));
        assert_told(&house, json!({}), "Test &amp; Sons encrypted its answer").await;
    }
}
