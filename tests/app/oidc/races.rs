//! Flows through a provider that race with the revocation of all sign-ins.

use std::sync::atomic::Ordering;

use super::*;
use crate::credentials::{id_of, race_next_sign_in};

const ADA: &str = "ada@example.org";

/// An administrator with a password and a linked identity.
async fn linked(oidc: &OidcApp) -> Client {
    let mut ada = oidc.app.administrator().await;
    oidc.provider.set_identity(verified_identity("ada-1", "ada@elsewhere.example"));
    let done = oidc.run_flow(&mut ada, &[("purpose", "link")]).await;
    assert_eq!(done.status, 303, "{}", done.text());
    ada
}

each_oidc_db! {
    async fn s06_no_provider_sign_in_survives_a_concurrent_revocation(oidc: OidcApp) {
        let mut ada = linked(&oidc).await;
        let end = "/api/end_other_devices";
        // The revocation happens after the check of the token and before the sign-in is stored.
        let mut thief = oidc.app.anonymous();
        let back = oidc.callback_path(&mut thief, &[]).await;
        let done = race_next_sign_in(&oidc.app, ada.clone(), end, &[]);
        let refused = thief.get(&back).await;
        assert!(done.load(Ordering::SeqCst));
        assert_refused(&mut thief, &refused, 400, "in between").await;

        // The flow starts before the revocation and ends after it.
        let back = oidc.callback_path(&mut thief, &[]).await;
        assert_eq!(ada.post_form(end, &[]).await.status, 200);
        let refused = thief.get(&back).await;
        assert_refused(&mut thief, &refused, 400, "started before the revocation").await;

        let done = oidc.run_flow(&mut thief, &[]).await;
        assert_eq!(done.status, 303, "started after the revocation: {}", done.text());
        assert!(current_user(&mut thief).await.is_some() && current_user(&mut ada).await.is_some());
        let refused = "select detail from audit where action = 'sign_in' and outcome = 'refused' and subject_id is not null";
        assert_eq!(oidc.app.column(refused).await, ["Test & Sons", "Test & Sons"]);
    }
}

each_oidc_db! {
    async fn s06_unlinking_revokes_other_sign_ins_and_pending_flows(oidc: OidcApp) {
        let mut ada = linked(&oidc).await;
        let mut elsewhere = oidc.app.anonymous();
        oidc.run_flow(&mut elsewhere, &[]).await;
        assert!(current_user(&mut elsewhere).await.is_some());
        let identity = identities(&mut ada).await.remove(0);
        let fields = [("issuer", identity.issuer.as_str()), ("subject", identity.subject.as_str())];
        let mut thief = oidc.app.anonymous();
        let back = oidc.callback_path(&mut thief, &[]).await;
        let done = race_next_sign_in(&oidc.app, ada.clone(), "/api/unlink_identity", &fields);
        let refused = thief.get(&back).await;
        assert!(done.load(Ordering::SeqCst));
        assert_refused(&mut thief, &refused, 400, "unlinked in between").await;
        assert!(current_user(&mut elsewhere).await.is_none(), "sign-ins by it are revoked");
        assert!(current_user(&mut ada).await.is_some(), "the actor stays signed in");
    }
}

each_oidc_db! {
    async fn s06_disabling_an_account_revokes_pending_flows(oidc: OidcApp) {
        let mut ada = oidc.app.administrator().await;
        oidc.sign_in_as("vera-1", "vera@example.org").await;
        let vera = id_of(&oidc.app, "vera@example.org").await.to_string();
        let mut thief = oidc.app.anonymous();
        let back = oidc.callback_path(&mut thief, &[]).await;
        for change in ["disable", "enable"] {
            let done = ada.post_form("/api/change_person", &[("user", &*vera), ("change", change)]).await;
            assert_eq!(done.status, 200, "{}", done.text());
        }
        let refused = thief.get(&back).await;
        assert_refused(&mut thief, &refused, 400, "disabled and enabled meanwhile").await;
        assert!(oidc.app.signed_in(ADA).await.cookies.contains_key("colloquy"));
    }
}
