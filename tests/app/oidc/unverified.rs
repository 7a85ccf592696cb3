//! Accounts whose address nobody has verified, and the owner of the address who comes by a provider.

use super::*;
use crate::support::smtp::Smtp;

const NEW: &str = "copper-lantern-orbit-77";

/// An installation for the addresses of one domain, with mails.
async fn for_domain(kept: Kept) -> (House, Smtp) {
    let smtp = Smtp::start().await;
    let mail = smtp.config();
    let house = House::start(kept, |config| {
        config.sign_up_domains = vec!["example.org".to_owned()];
        config.mail = Some(mail);
    })
    .await;
    house.app.administrator().await;
    (house, smtp)
}

async fn register(house: &House, name: &str) -> Client {
    let mut client = house.app.stranger();
    let fields = [("email", "vera@example.org"), ("name", name), ("password", PASSWORD)];
    let answer = client.post_form("/api/sign_up", &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    client
}

async fn sign_in(house: &House, password: &str) -> (Client, Answer) {
    let mut client = house.app.stranger();
    let answer = client.post_form("/api/sign_in", &[("email", "vera@example.org"), ("password", password)]).await;
    (client, answer)
}

each_house! {
    async fn o04_an_account_that_nobody_could_use_makes_room_for_the_owner_of_the_address(house: House) {
        let (house, smtp) = for_domain(house.app.kept()).await;
        let mut attacker = register(&house, "Mallory").await;
        let link = smtp.newest_to(&house.app.state, "vera@example.org", 1).await.token();
        assert_eq!(sign_in(&house, PASSWORD).await.1.status, 409, "it waits for the link");

        let mut vera = house.guest("vera-1", "vera@example.org").await;
        let known = who(&mut vera).await.expect("Vera");
        assert_eq!((known.name.as_str(), known.email.as_str()), ("Vera", "vera@example.org"), "nothing is left of the other");
        assert_eq!(house.app.column("select email from users where email_key = 'vera@example.org'").await.len(), 1);
        assert_eq!(house.app.column("select action from audit where action = 'make_room'").await.len(), 1);
        // Everything that the attacker had is dead.
        assert_eq!(who(&mut attacker).await, None);
        let (_, refused) = sign_in(&house, PASSWORD).await;
        assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("password")));
        assert_eq!(attacker.post_form("/api/verify_address", &[("token", &link)]).await.status, 422);
        // Who is verified does not make room again.
        let other = house.visit_as(&mut house.app.stranger(), person("vera-2", "vera@example.org")).await;
        assert_eq!(other.status, 409, "{}", other.text());
    }
}

each_house! {
    async fn o04_an_account_that_was_verified_or_shut_makes_no_room(house: House) {
        let (house, smtp) = for_domain(house.app.kept()).await;
        let mut owner = register(&house, "Vera herself").await;
        house.app.execute("update users set disabled_at = 1 where email_key = 'vera@example.org'").await;
        let mut guest = house.app.stranger();
        let refused = house.visit_as(&mut guest, person("vera-1", "vera@example.org")).await;
        assert_refused(&mut guest, &refused, 409, "an administrator has shut it").await;
        house.app.execute("update users set disabled_at = null where email_key = 'vera@example.org'").await;

        let token = smtp.newest_to(&house.app.state, "vera@example.org", 1).await.token();
        assert_eq!(owner.post_form("/api/verify_address", &[("token", &token)]).await.status, 200);
        let refused = house.visit(&mut guest, &[]).await;
        assert_refused(&mut guest, &refused, 409, "it is somebody's").await;
        assert_eq!(sign_in(&house, PASSWORD).await.1.status, 200);
    }
}

each_house! {
    async fn o04_where_somebody_came_in_with_a_foreign_address_its_owner_takes_the_account_back_by_mail(house: House) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let house = House::start(house.app.kept(), |config| {
            config.sign_up_open = true;
            config.mail = Some(mail);
        })
        .await;
        house.app.administrator().await;
        // By an invitation for whoever has the link, say.
        let mut attacker = house.app.person("vera@example.org", "Mallory").await;
        attacker.post_form("/api/request_address_change", &[("email", "mallory@example.net")]).await;
        let change = smtp.newest_to(&house.app.state, "mallory@example.net", 1).await.token();
        let mut vera = house.app.stranger();
        let refused = house.visit_as(&mut vera, person("vera-1", "vera@example.org")).await;
        assert_refused(&mut vera, &refused, 409, "nothing is joined silently").await;
        assert!(refused.text().contains("choose a new one first, by the link on the sign-in page"), "the way on: {}", refused.text());

        vera.post_form("/api/request_password_reset", &[("email", "vera@example.org")]).await;
        let mut token = None;
        for mail in smtp.mails_to(&house.app.state, "vera@example.org", 2).await {
            let link = mail.part("text/plain").contains("/reset-password?").then(|| mail.token());
            token = token.or(link);
        }
        let token = token.expect("a link for a new password");
        let reset = vera.post_form("/api/reset_password", &[("token", &token), ("password", NEW)]).await;
        assert_eq!(reset.status, 200, "{}", reset.text());
        assert_eq!(who(&mut attacker).await, None);
        assert_eq!(sign_in(&house, PASSWORD).await.1.status, 422);
        assert_eq!(attacker.post_form("/api/confirm_address_change", &[("token", &change)]).await.status, 422);
        let (mut vera, signed_in) = sign_in(&house, NEW).await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.text());
        let linked = house.visit(&mut vera, &[("purpose", "link")]).await;
        assert_eq!(linked.status, 303, "{}", linked.text());
        house.guest("vera-1", "vera@example.org").await;
    }
}

each_house! {
    async fn whoever_must_verify_is_sent_another_link_whichever_way_they_come(house: House) {
        let (house, smtp) = for_domain(house.app.kept()).await;
        house.guest("vera-1", "vera@example.org").await;
        house.app.execute("update users set must_verify = true, email_verified_at = null where email_key = 'vera@example.org'").await;
        let mut vera = house.app.stranger();
        let refused = house.visit_as(&mut vera, person("vera-1", "vera@elsewhere.example")).await;
        assert_refused(&mut vera, &refused, 409, "the provider vouches for another address").await;
        let token = smtp.newest_to(&house.app.state, "vera@example.org", 1).await.token();
        assert_eq!(vera.post_form("/api/verify_address", &[("token", &token)]).await.status, 200);
        assert_eq!(house.visit(&mut vera, &[]).await.status, 303);
        assert_eq!(who(&mut vera).await.expect("Vera").email, "vera@example.org");
    }
}

each_house! {
    async fn a_provider_verifies_the_address_that_it_vouches_for_and_no_other(house: House) {
        house.app.administrator().await;
        let mut vera = house.guest("vera-1", "vera@example.org").await;
        let state = "select cast(must_verify as integer) || ' ' || cast(email_verified_at is not null as integer) from users where email_key = 'vera@example.org'";
        assert_eq!(house.app.column(state).await, ["0 1"]);
        house.app.execute("update users set must_verify = true, email_verified_at = null where email_key = 'vera@example.org'").await;

        let refused = house.visit_as(&mut house.app.stranger(), person("vera-1", "vera@elsewhere.example")).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("Confirm your e-mail address first"), "{}", refused.text());
        assert_eq!(house.app.column(state).await, ["1 0"]);
        house.guest("vera-1", "Vera@example.org").await;
        assert_eq!(house.app.column(state).await, ["0 1"]);
        assert!(who(&mut vera).await.is_some());
    }
}
