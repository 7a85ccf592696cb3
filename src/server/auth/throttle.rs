//! How often somebody may try. Counted in the database, so that all instances count together.

use super::{Act, Origin};
use crate::{
    domain::{AppError, AuditAction, Email, Outcome, UserId},
    server::{
        clock::Clock,
        fault::Fault,
        store::{Store, StoreError, Tx},
    },
};

/// One kind of limit: so many tries in so many seconds.
struct Limit {
    tries: i64,
    seconds: i64,
}

/// Wrong passwords from one address.
const SIGN_IN_ADDRESS: Limit = Limit { tries: 10, seconds: 180 };
/// Wrong passwords for one account. High, because nobody shall be able to lock somebody else out.
const SIGN_IN_ACCOUNT: Limit = Limit { tries: 100, seconds: 3_600 };
/// Wrong second factors from one address.
const CODE_ADDRESS: Limit = Limit { tries: 10, seconds: 180 };
/// Wrong second factors for one account. Low, because whoever gets there has the password.
const CODE_ACCOUNT: Limit = Limit { tries: 10, seconds: 900 };
/// Ceremonies that strangers begin from one address.
const CEREMONY_ADDRESS: Limit = Limit { tries: 60, seconds: 180 };
/// New accounts from one address.
const SIGN_UP_ADDRESS: Limit = Limit { tries: 60, seconds: 3_600 };
/// Mails of one kind that are asked for to one address, or for one account.
const MAIL_ACCOUNT: Limit = Limit { tries: 3, seconds: 3_600 };
/// Mails that are asked for from one machine. Higher, because many people may share its address.
const MAIL_ADDRESS: Limit = Limit { tries: 30, seconds: 3_600 };
/// One-time links that one address follows. Nobody guesses a token; this spares the database.
const LINK_ADDRESS: Limit = Limit { tries: 100, seconds: 900 };
/// Ways to an identity provider that one address begins.
const FLOW_ADDRESS: Limit = Limit { tries: 60, seconds: 600 };
/// Downloads of their data that one person asks for.
const EXPORT_ACCOUNT: Limit = Limit { tries: 3, seconds: 86_400 };
/// Acts of one member that only administrators may do, and that are written down.
const OVERSTEP_ACCOUNT: Limit = Limit { tries: 20, seconds: 3_600 };
/// Seconds in which the same fault of a provider's set-up is written down once.
const SETUP_FAULT_SECONDS: i64 = 3_600;
/// How many times a limit holds for all machines together that a trusted proxy does not tell apart.
const HIDDEN_TIMES: i64 = 100;
/// What there are too many of, in words.
const MAILS: &str = "mails";

/// Whose tries are counted, for what is written down when there are too many.
enum Whose<'a> {
    /// A machine's, whoever sits there.
    Nobodys,
    /// An account's.
    Users(UserId),
    /// Those of the account with this address, if there is one.
    Of(&'a Email),
}

/// Counts a try and says whether it is one too many. The first such one is written down: the others of the same span
/// would say nothing new, and whoever tries must not fill the audit.
async fn count_in(
    tx: &mut Tx,
    clock: &Clock,
    origin: &Origin,
    (what, whose): (&str, Whose<'_>),
    key: &str,
    limit: &Limit,
) -> Result<Result<(), AppError>, StoreError> {
    let now = clock.now();
    let (tries, ends_at) = tx.count_try(key, now, limit.seconds).await?;
    if tries <= limit.tries {
        return Ok(Ok(()));
    }
    if tries == limit.tries + 1 {
        let subject = match whose {
            Whose::Nobodys => None,
            Whose::Users(user) => Some(user),
            Whose::Of(email) => tx.find_user_by_email(email.key()).await?.map(|user| user.id),
        };
        let (action, outcome) = (AuditAction::Throttle, Outcome::Refused);
        origin.write(tx, clock, &Act { actor: None, subject, action, outcome, detail: what }).await?;
    }
    let seconds = (ends_at.micros() - now.micros()).div_euclid(1_000_000).max(1);
    Ok(Err(AppError::RateLimited { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) }))
}

/// The key of what is counted for a machine, and its limit. Where it is not known which machine it is, all of those are
/// counted together, and the limit is only there against floods.
fn of_machine(word: &str, origin: &Origin, limit: &Limit) -> (String, Limit) {
    let key = format!("{word} address {}", origin.address.throttle_key());
    match origin.is_hidden {
        true => (format!("{key} (any)"), Limit { tries: limit.tries * HIDDEN_TIMES, seconds: limit.seconds }),
        false => (key, Limit { tries: limit.tries, seconds: limit.seconds }),
    }
}

fn account_key(email: &Email) -> String {
    format!("sign-in account {}", email.key())
}

/// Counts a try to sign in before the password is looked at.
pub(super) async fn count_sign_in(store: &Store, clock: &Clock, origin: &Origin, email: &Email) -> Result<(), Fault> {
    const WHAT: &str = "signing in";
    let mut tx = store.write().await?;
    let ((by_address, limit), by_account) = (of_machine("sign-in", origin, &SIGN_IN_ADDRESS), account_key(email));
    let mut over = count_in(&mut tx, clock, origin, (WHAT, Whose::Nobodys), &by_address, &limit).await?;
    // Tries that the address has no right to do not count against the account.
    if over.is_ok() {
        over = count_in(&mut tx, clock, origin, (WHAT, Whose::Of(email)), &by_account, &SIGN_IN_ACCOUNT).await?;
    }
    tx.commit().await?;
    Ok(over?)
}

/// Tries that are forgiven when somebody comes in: the account starts anew, and the address gets this one try back.
#[derive(Debug)]
pub(super) enum Tries<'a> {
    /// None were counted.
    Uncounted,
    /// Those of the password of the account with this address.
    Password(&'a Email),
    /// Those of the second factor.
    Code,
}

/// What was tried was right: writes so in the transaction that lets them in.
pub(super) async fn forgive(tx: &mut Tx, origin: &Origin, user: UserId, tries: &Tries<'_>) -> Result<(), StoreError> {
    let (by_address, by_account) = match tries {
        Tries::Uncounted => return Ok(()),
        Tries::Password(email) => (of_machine("sign-in", origin, &SIGN_IN_ADDRESS), account_key(email)),
        Tries::Code => (of_machine("code", origin, &CODE_ADDRESS), code_account_key(user)),
    };
    tx.return_try(&by_address.0).await?;
    tx.delete_tries(&by_account).await
}

/// The password was right: the account starts anew, and the address gets this one try back.
pub(super) async fn forgive_sign_in(store: &Store, origin: &Origin, email: &Email) -> Result<(), Fault> {
    let mut tx = store.write().await?;
    tx.return_try(&of_machine("sign-in", origin, &SIGN_IN_ADDRESS).0).await?;
    tx.delete_tries(&account_key(email)).await?;
    tx.commit().await?;
    Ok(())
}

fn code_account_key(user: UserId) -> String {
    format!("code account {user}")
}

/// Counts a try of a second factor against the address, before anything is looked at.
pub(super) async fn count_code(store: &Store, clock: &Clock, origin: &Origin) -> Result<(), Fault> {
    by_address(store, clock, origin, ("code", "second factors"), &CODE_ADDRESS).await
}

/// Counts a try of a second factor against the account, before it is looked at.
pub(super) async fn count_code_of(store: &Store, clock: &Clock, origin: &Origin, user: UserId) -> Result<(), Fault> {
    count(store, clock, origin, ("second factors", Whose::Users(user)), &code_account_key(user), &CODE_ACCOUNT).await
}

/// The second factor of somebody who is signed in was right: the account starts anew.
pub(super) async fn forgive_code_of(store: &Store, user: UserId) -> Result<(), Fault> {
    let mut tx = store.write().await?;
    tx.delete_tries(&code_account_key(user)).await?;
    tx.commit().await?;
    Ok(())
}

/// Counts a ceremony that a stranger begins.
pub(super) async fn count_ceremony(store: &Store, clock: &Clock, origin: &Origin) -> Result<(), Fault> {
    by_address(store, clock, origin, ("ceremony", "passkeys"), &CEREMONY_ADDRESS).await
}

/// Counts a try to sign up.
pub(super) async fn count_sign_up(store: &Store, clock: &Clock, origin: &Origin) -> Result<(), Fault> {
    by_address(store, clock, origin, ("sign-up", "making accounts"), &SIGN_UP_ADDRESS).await
}

/// Counts a way to an identity provider.
pub(super) async fn count_flow(store: &Store, clock: &Clock, origin: &Origin) -> Result<(), Fault> {
    by_address(store, clock, origin, ("provider", "other ways in"), &FLOW_ADDRESS).await
}

/// Counts that a one-time link is followed, or an invitation shown, before it is looked at.
pub(super) async fn count_link(store: &Store, clock: &Clock, origin: &Origin) -> Result<(), Fault> {
    by_address(store, clock, origin, ("link", "links"), &LINK_ADDRESS).await
}

/// Counts that a mail of this kind was asked for, whether or not anybody has the address.
pub(super) async fn count_mail(
    store: &Store,
    clock: &Clock,
    origin: &Origin,
    kind: &str,
    email: &Email,
) -> Result<(), Fault> {
    let mut tx = store.write().await?;
    let over = count_mail_in(&mut tx, clock, origin, kind, email).await?;
    tx.commit().await?;
    Ok(over?)
}

/// The same in the transaction of whoever asks, who commits in any case.
pub(super) async fn count_mail_in(
    tx: &mut Tx,
    clock: &Clock,
    origin: &Origin,
    kind: &str,
    email: &Email,
) -> Result<Result<(), AppError>, StoreError> {
    let ((by_address, limit), by_account) =
        (of_machine("mail", origin, &MAIL_ADDRESS), format!("mail {kind} {}", email.key()));
    let mut over = count_in(tx, clock, origin, (MAILS, Whose::Nobodys), &by_address, &limit).await?;
    if over.is_ok() {
        over = count_in(tx, clock, origin, (MAILS, Whose::Of(email)), &by_account, &MAIL_ACCOUNT).await?;
    }
    Ok(over)
}

/// Counts a mail of this kind that somebody who may do so has sent to somebody else.
pub(super) async fn count_mail_to(
    store: &Store,
    clock: &Clock,
    origin: &Origin,
    kind: &str,
    email: &Email,
) -> Result<(), Fault> {
    count(store, clock, origin, (MAILS, Whose::Of(email)), &format!("mail {kind} {}", email.key()), &MAIL_ACCOUNT).await
}

/// Counts a download of one's own data.
pub(super) async fn count_export(store: &Store, clock: &Clock, origin: &Origin, user: UserId) -> Result<(), Fault> {
    let of = ("downloads", Whose::Users(user));
    count(store, clock, origin, of, &format!("export {user}"), &EXPORT_ACCOUNT).await
}

/// Counts that a member tried what only administrators may do. Says whether that is to be written down.
pub(super) async fn count_overstep(tx: &mut Tx, clock: &Clock, user: UserId) -> Result<bool, StoreError> {
    let (tries, _) = tx.count_try(&format!("overstep {user}"), clock.now(), OVERSTEP_ACCOUNT.seconds).await?;
    Ok(tries <= OVERSTEP_ACCOUNT.tries)
}

/// Counts that a provider was found to be set up wrongly in this way. Says whether that is to be written down.
pub(super) async fn is_first_setup_fault(
    tx: &mut Tx,
    clock: &Clock,
    provider: &str,
    kind: &str,
) -> Result<bool, StoreError> {
    let key = format!("provider fault {provider} {kind}");
    let (tries, _) = tx.count_try(&key, clock.now(), SETUP_FAULT_SECONDS).await?;
    Ok(tries == 1)
}

async fn by_address(
    store: &Store,
    clock: &Clock,
    origin: &Origin,
    (word, what): (&str, &str),
    limit: &Limit,
) -> Result<(), Fault> {
    let (key, limit) = of_machine(word, origin, limit);
    count(store, clock, origin, (what, Whose::Nobodys), &key, &limit).await
}

async fn count(
    store: &Store,
    clock: &Clock,
    origin: &Origin,
    of: (&str, Whose<'_>),
    key: &str,
    limit: &Limit,
) -> Result<(), Fault> {
    let mut tx = store.write().await?;
    let over = count_in(&mut tx, clock, origin, of, key, limit).await?;
    tx.commit().await?;
    Ok(over?)
}
