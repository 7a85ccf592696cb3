//! The names of what each server function takes, so that the door refuses anything else.
//!
//! They are asked of the functions' own types: each is told to read itself from nothing, and says what it looks for.

use std::{collections::HashMap, sync::LazyLock};

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error, Visitor, value},
    forward_to_deserialize_any,
};
use server_fn::ServerFn;

type Names = &'static [&'static str];

macro_rules! names_of {
    ($($module:ident::{$($function:ident),* $(,)?},)*) => {
        HashMap::from([$($((super::$module::$function::PATH, fields::<super::$module::$function>())),*),*])
    };
}

/// Every server function has its place here; `tests/app/isolation.rs` says which one has not.
static NAMES: LazyLock<HashMap<&'static str, Names>> = LazyLock::new(|| {
    names_of! {
        account::{LoadEntrance, SignUp, SignIn, SignOut, RatePassword},
        audit::{LoadAudit},
        chats::{ListChats, FindChat, RenameChat, ChangeChats},
        deletion::{DeleteAccount, KeepAccount},
        export::{RequestExport},
        factors::{
            ListFactors, BeginTotp, CancelTotp, ConfirmTotp, RemoveFactor, RenameFactor, NewRecoveryCodes, PutCodesAway, FindSignInStep, FinishSignIn,
            BeginPasskeyRegistration, FinishPasskeyRegistration, BeginPasskeyCheck, FinishPasskeyCheck,
            BeginPasskeySignIn, FinishPasskeySignIn,
        },
        frame::{LoadFrame},
        identities::{ListIdentityProviders, ListIdentities, UnlinkIdentity},
        invitations::{CreateInvitation, ListInvitations, RevokeInvitation},
        jobs::{ListJobs, ChangeJob},
        legal::{LoadLegal},
        messages::{SendMessage, StopAnswer, RetryAnswer, ContinueAnswer, OlderMessages, MessageText},
        people::{LoadPeople, LoadPerson, ChangePerson, EndSignInOf, StartReset, RefuseFactorRemoval},
        recovery::{
            RequestPasswordReset, ResetPassword, RequestVerification, VerifyAddress, RequestAddressChange,
            ConfirmAddressChange,
        },
        security::{
            ChangeName, ChangePassword, ConfirmIdentity, BeginPasskeyConfirmation, FinishPasskeyConfirmation, FindProof,
            LoadSettings, EndDevice, EndOtherDevices, ChangeLocale, RemovePicture,
            ChangeRetention,
        },
    }
});

/// The names of what the function at this path takes; `None` where it is not known.
pub fn fields_of(path: &str) -> Option<Names> {
    NAMES.get(path).copied()
}

fn fields<T: DeserializeOwned>() -> Names {
    let mut asked: Names = &[];
    // It always fails, and has then said what it looks for.
    let _ = T::deserialize(Listener(&mut asked));
    asked
}

/// Listens to what a type looks for.
struct Listener<'a>(&'a mut Names);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("nothing is there"))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &str, fields: Names, visitor: V) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_25_functions_say_what_they_take() {
        assert_eq!(fields_of("/api/sign_in"), Some(&["email", "password", "remember", "next"][..]));
        assert_eq!(fields_of("/api/sign_out"), Some(&[][..]));
        assert_eq!(fields_of("/api/nothing"), None);
    }
}
