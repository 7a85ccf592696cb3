//! Somebody who is on their way through a provider when the sign-ins of their account are ended.

use std::sync::atomic::Ordering;

use super::*;
use crate::credentials::{id_of, in_between};

const ADA: &str = "ada@example.org";

/// An account with a password that is linked to the provider, too.
async fn linked(house: &House) -> Client {
    let mut ada = house.app.administrator().await;
    house.provider.vouch(person("ada-1", "ada@elsewhere.example"));
    let done = house.visit(&mut ada, &[("purpose", "link")]).await;
    assert_eq!(done.status, 303, "{}", done.text());
    ada
}

each_house! {
    async fn s06_no_sign_in_by_a_provider_outlives_what_ends_the_others(house: House) {
        let mut ada = linked(&house).await;
        let end = "/api/end_other_devices";
        // Back, vouched for, and the act comes before the sign-in is written.
        let mut thief = house.app.stranger();
        let back = house.way_back(&mut thief, &[]).await;
        let done = in_between(&house.app, ada.clone(), end, &[]);
        let refused = thief.get(&back).await;
        assert!(done.load(Ordering::SeqCst));
        assert_refused(&mut thief, &refused, 400, "in between").await;

        // Sent away before, back after.
        let back = house.way_back(&mut thief, &[]).await;
        assert_eq!(ada.post_form(end, &[]).await.status, 200);
        let refused = thief.get(&back).await;
        assert_refused(&mut thief, &refused, 400, "begun before").await;

        let done = house.visit(&mut thief, &[]).await;
        assert_eq!(done.status, 303, "begun after: {}", done.text());
        assert!(who(&mut thief).await.is_some() && who(&mut ada).await.is_some());
        let refused = "select detail from audit where action = 'sign_in' and outcome = 'refused' and subject_id is not null";
        assert_eq!(house.app.column(refused).await, ["Test & Sons", "Test & Sons"]);
    }
}

each_house! {
    async fn s06_unlinking_ends_the_other_sign_ins_and_those_on_their_way(house: House) {
        let mut ada = linked(&house).await;
        let mut elsewhere = house.app.stranger();
        house.visit(&mut elsewhere, &[]).await;
        assert!(who(&mut elsewhere).await.is_some());
        let identity = identities(&mut ada).await.remove(0);
        let fields = [("issuer", identity.issuer.as_str()), ("subject", identity.subject.as_str())];
        let mut thief = house.app.stranger();
        let back = house.way_back(&mut thief, &[]).await;
        let done = in_between(&house.app, ada.clone(), "/api/unlink_identity", &fields);
        let refused = thief.get(&back).await;
        assert!(done.load(Ordering::SeqCst));
        assert_refused(&mut thief, &refused, 400, "unlinked in between").await;
        assert!(who(&mut elsewhere).await.is_none(), "what came in by it ends");
        assert!(who(&mut ada).await.is_some(), "she who acts stays");
    }
}

each_house! {
    async fn s06_an_administrators_act_ends_sign_ins_on_their_way_through_a_provider(house: House) {
        let mut ada = house.app.administrator().await;
        house.guest("vera-1", "vera@example.org").await;
        let vera = id_of(&house.app, "vera@example.org").await.to_string();
        let mut thief = house.app.stranger();
        let back = house.way_back(&mut thief, &[]).await;
        for change in ["disable", "enable"] {
            let done = ada.post_form("/api/change_person", &[("user", &*vera), ("change", change)]).await;
            assert_eq!(done.status, 200, "{}", done.text());
        }
        let refused = thief.get(&back).await;
        assert_refused(&mut thief, &refused, 400, "shut and opened meanwhile").await;
        assert!(house.app.signed_in(ADA).await.cookies.contains_key("colloquy"));
    }
}
