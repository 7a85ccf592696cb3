//! Accounts with an unverified address, and the owner of the address who signs in by a provider.

use super::*;
use crate::support::smtp::Smtp;

const NEW: &str = "copper-lantern-orbit-77";

/// An installation with mail and sign-up for one address domain.
async fn for_domain(backend: Backend) -> (OidcApp, Smtp) {
    let smtp = Smtp::start().await;
    let mail = smtp.config();
    let oidc = OidcApp::start(backend, |config| {
        config.sign_up_domains = vec!["example.org".to_owned()];
        config.mail = Some(mail);
    })
    .await;
    oidc.app.administrator().await;
    (oidc, smtp)
}

async fn register(oidc: &OidcApp, name: &str) -> Client {
    let mut client = oidc.app.anonymous();
    let fields = [("email", "vera@example.org"), ("name", name), ("password", PASSWORD)];
    let answer = client.post_form("/api/sign_up", &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    client
}

async fn sign_in(oidc: &OidcApp, password: &str) -> (Client, Answer) {
    let mut client = oidc.app.anonymous();
    let answer = client.post_form("/api/sign_in", &[("email", "vera@example.org"), ("password", password)]).await;
    (client, answer)
}

each_oidc_db! {
    async fn o04_an_unverified_account_is_replaced_by_the_owner_of_the_address(oidc: OidcApp) {
        let (oidc, smtp) = for_domain(oidc.app.backend()).await;
        let mut attacker = register(&oidc, "Mallory").await;
        let link = smtp.newest_mail_to(&oidc.app.state, "vera@example.org", 1).await.token();
        assert_eq!(sign_in(&oidc, PASSWORD).await.1.status, 409, "the address is not verified yet");

        let mut vera = oidc.sign_in_as("vera-1", "vera@example.org").await;
        let known = current_user(&mut vera).await.expect("Vera");
        assert_eq!((known.name.as_str(), known.email.as_str()), ("Vera", "vera@example.org"), "the other account is replaced");
        assert_eq!(oidc.app.column("select email from users where email_key = 'vera@example.org'").await.len(), 1);
        assert_eq!(oidc.app.column("select action from audit where action = 'make_room'").await.len(), 1);
        // The attacker's session, password and link are invalid.
        assert_eq!(current_user(&mut attacker).await, None);
        let (_, refused) = sign_in(&oidc, PASSWORD).await;
        assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("password")));
        assert_eq!(attacker.post_form("/api/verify_address", &[("token", &link)]).await.status, 422);
        // A verified account is not replaced.
        let other = oidc.run_flow_as(&mut oidc.app.anonymous(), verified_identity("vera-2", "vera@example.org")).await;
        assert_eq!(other.status, 409, "{}", other.text());
    }
}

each_oidc_db! {
    async fn o04_a_verified_or_disabled_account_is_not_replaced(oidc: OidcApp) {
        let (oidc, smtp) = for_domain(oidc.app.backend()).await;
        let mut owner = register(&oidc, "Vera herself").await;
        oidc.app.execute("update users set disabled_at = 1 where email_key = 'vera@example.org'").await;
        let mut guest = oidc.app.anonymous();
        let refused = oidc.run_flow_as(&mut guest, verified_identity("vera-1", "vera@example.org")).await;
        assert_refused(&mut guest, &refused, 409, "the account is disabled").await;
        oidc.app.execute("update users set disabled_at = null where email_key = 'vera@example.org'").await;

        let token = smtp.newest_mail_to(&oidc.app.state, "vera@example.org", 1).await.token();
        assert_eq!(owner.post_form("/api/verify_address", &[("token", &token)]).await.status, 200);
        let refused = oidc.run_flow(&mut guest, &[]).await;
        assert_refused(&mut guest, &refused, 409, "the account is verified").await;
        assert_eq!(sign_in(&oidc, PASSWORD).await.1.status, 200);
    }
}

each_oidc_db! {
    async fn o04_the_owner_of_an_address_recovers_the_account_by_mail(oidc: OidcApp) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let oidc = OidcApp::start(oidc.app.backend(), |config| {
            config.sign_up_open = true;
            config.mail = Some(mail);
        })
        .await;
        oidc.app.administrator().await;
        // For example, by an invitation that is not bound to an address.
        let mut attacker = oidc.app.person("vera@example.org", "Mallory").await;
        attacker.post_form("/api/request_address_change", &[("email", "mallory@example.net")]).await;
        let change = smtp.newest_mail_to(&oidc.app.state, "mallory@example.net", 1).await.token();
        let mut vera = oidc.app.anonymous();
        let refused = oidc.run_flow_as(&mut vera, verified_identity("vera-1", "vera@example.org")).await;
        assert_refused(&mut vera, &refused, 409, "the accounts are not linked silently").await;
        assert!(refused.text().contains("reset it on the sign-in page first"), "the way on: {}", refused.text());

        vera.post_form("/api/request_mail", &[("purpose", "reset"), ("email", "vera@example.org")]).await;
        let mut token = None;
        for mail in smtp.mails_to(&oidc.app.state, "vera@example.org", 2).await {
            let link = mail.part("text/plain").contains("/reset-password?").then(|| mail.token());
            token = token.or(link);
        }
        let token = token.expect("a link for a new password");
        let reset = vera.post_form("/api/reset_password", &[("token", &token), ("password", NEW)]).await;
        assert_eq!(reset.status, 200, "{}", reset.text());
        assert_eq!(current_user(&mut attacker).await, None);
        assert_eq!(sign_in(&oidc, PASSWORD).await.1.status, 422);
        assert_eq!(attacker.post_form("/api/confirm_address_change", &[("token", &change)]).await.status, 422);
        let (mut vera, signed_in) = sign_in(&oidc, NEW).await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.text());
        let linked = oidc.run_flow(&mut vera, &[("purpose", "link")]).await;
        assert_eq!(linked.status, 303, "{}", linked.text());
        oidc.sign_in_as("vera-1", "vera@example.org").await;
    }
}

each_oidc_db! {
    async fn an_unverified_user_gets_a_new_verification_link_at_sign_in(oidc: OidcApp) {
        let (oidc, smtp) = for_domain(oidc.app.backend()).await;
        oidc.sign_in_as("vera-1", "vera@example.org").await;
        oidc.app.execute("update users set must_verify = true, email_verified_at = null where email_key = 'vera@example.org'").await;
        let mut vera = oidc.app.anonymous();
        let refused = oidc.run_flow_as(&mut vera, verified_identity("vera-1", "vera@elsewhere.example")).await;
        assert_refused(&mut vera, &refused, 409, "the token has another address").await;
        let token = smtp.newest_mail_to(&oidc.app.state, "vera@example.org", 1).await.token();
        assert_eq!(vera.post_form("/api/verify_address", &[("token", &token)]).await.status, 200);
        assert_eq!(oidc.run_flow(&mut vera, &[]).await.status, 303);
        assert_eq!(current_user(&mut vera).await.expect("Vera").email, "vera@example.org");
    }
}

each_oidc_db! {
    async fn a_provider_verifies_only_the_address_in_its_token(oidc: OidcApp) {
        oidc.app.administrator().await;
        let mut vera = oidc.sign_in_as("vera-1", "vera@example.org").await;
        let state = "select cast(must_verify as integer) || ' ' || cast(email_verified_at is not null as integer) from users where email_key = 'vera@example.org'";
        assert_eq!(oidc.app.column(state).await, ["0 1"]);
        oidc.app.execute("update users set must_verify = true, email_verified_at = null where email_key = 'vera@example.org'").await;

        let refused = oidc.run_flow_as(&mut oidc.app.anonymous(), verified_identity("vera-1", "vera@elsewhere.example")).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("Confirm your email first"), "{}", refused.text());
        assert_eq!(oidc.app.column(state).await, ["1 0"]);
        oidc.sign_in_as("vera-1", "Vera@example.org").await;
        assert_eq!(oidc.app.column(state).await, ["0 1"]);
        assert!(current_user(&mut vera).await.is_some());
    }
}
