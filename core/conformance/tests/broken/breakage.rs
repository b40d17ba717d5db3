//! The deviations from the rule.

use barewire_conformance::Rule;

macro_rules! breakages {
    ($($name:ident: $rule:ident,)*) => {
        /// A deviation from the rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Breakage {
            $($name),*
        }

        /// All of them, each with the part of the rule that it breaks.
        pub(crate) const BREAKAGES: &[(Breakage, Rule)] = &[$((Breakage::$name, Rule::$rule)),*];
    };
}

breakages! {
    TransmitsLast: Transmission,
    TransmitsOnce: Transmission,
    SkipsPreparing: Transmission,
    SpinsWhenFull: Transmission,
    ReportsNothing: Transmission,
    ReportsAll: Transmission,
    ReportsOneMore: Transmission,
    ReportsOneLess: Transmission,
    ForgetsTail: Transmission,
    ReportsEndOnly: Transmission,
    ReportsRefusedEnd: Transmission,
    SkipsContents: Transmission,
    WaitsForContents: Transmission,
    ReceivesOnce: Input,
    StopsAtFirstEvent: Input,
    StopsAtTakenBytes: Input,
    StopsAtLastByte: Input,
    OffersTakenBytesAgain: Input,
    DropsLeftBytes: Input,
    ForgetsLeftBytes: Input,
    ForgetsLeftBytesAtTimeOut: Input,
    OffersAgainAtOnce: Input,
    ReadsOn: Input,
    LosesEvents: Input,
    SkipsTheEnd: End,
    TellsEndBeforeBytes: End,
    TellsEndOnce: End,
    ForgetsTheEnd: End,
    OffersInputBehindEnd: End,
    SkipsTimeOut: Deadline,
    TimesOutFirst: Deadline,
    TimesOutOnce: Deadline,
    WaitsWithoutTimer: Deadline,
    CallsAfterFailure: Failure,
    HidesFailure: Failure,
    SkipsFinalTransmit: Failure,
    ClosesAfterFailure: Failure,
    ResetsAfterHalfClose: Failure,
    EndsBeforeReset: Failure,
    IgnoresBreak: Failure,
    SkipsFin: OrderlyEnd,
    CallsAfterClose: OrderlyEnd,
    WaitsForFinForEver: OrderlyEnd,
    GivesFinNoTime: OrderlyEnd,
    TellsOverTwice: OrderlyEnd,
    SkipsLinger: Linger,
    LeavesInput: Linger,
    LingersForEver: Linger,
    LingersWithoutTimer: Linger,
    LingersBeyondEnd: Linger,
    ResetsInOrder: Linger,
    TakesResetForEnd: Broken,
    TakesResetForSuccess: Broken,
    IgnoresReset: Broken,
    SkipsLastLook: Broken,
}
