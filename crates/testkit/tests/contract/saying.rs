//! What is noticed of errors and `Debug` output.

use crate::noticed;

noticed! {
    anything_after_an_error: GoesOnAfterError, "nothing follows an error";
    an_error_that_says_nothing: SaysNothing, "an error says what happened";
    a_secret_in_debug_output: SecretInDebug, "`Debug` output shows no secret";
    a_secret_in_a_description: SecretInDescription, "a description shows no secret";
    a_secret_in_an_error: SecretInError, "an error shows no secret";
    a_secret_beneath_an_error: SecretInCause, "an error shows no secret";
    a_secret_in_a_rejected_row: SecretInRejected, "a rejected row shows no secret";
}
