//! The reasons for which a request does not follow the RFCs, and how many requests had each.

use http_desync_guardian::ClassificationReason;

use crate::counters::Counter;

/// Declares the reasons once, so that a new one cannot be missing from the counters.
macro_rules! reasons {
    (of the classifier { $($name:ident,)+ } our own { $($own:ident,)+ }) => {
        /// What is wrong with a request.
        ///
        /// Source: ALB guide, "Access logs", "Classification reasons"; those about raw lines are the classifier's own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Reason {
            $($name,)+
            $($own,)+
        }

        impl Reason {
            pub(crate) const ALL: [Self; [$(stringify!($name),)+ $(stringify!($own),)+].len()] =
                [$(Self::$name,)+ $(Self::$own,)+];

            /// The name in the access log.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                    $(Self::$own => stringify!($own),)+
                }
            }

            /// What the classifier has found; `None`: nothing.
            pub(crate) fn of(reason: ClassificationReason) -> Option<Self> {
                Some(match reason {
                    ClassificationReason::Compliant => return None,
                    $(ClassificationReason::$name => Self::$name,)+
                })
            }
        }
    };
}

reasons! {
    of the classifier {
        AmbiguousUri,
        BadContentLength,
        BadHeader,
        BadMethod,
        BadTransferEncoding,
        BadUri,
        BadVersion,
        BothTeClPresent,
        DuplicateContentLength,
        EmptyHeader,
        GetHeadZeroContentLength,
        MissingHeaderColon,
        MissingLastEmptyLine,
        MissingUri,
        MultilineHeader,
        MultipleContentLength,
        MultipleTransferEncodingChunked,
        NonCompliantHeader,
        NonCompliantVersion,
        NonCrLfLineTermination,
        PartialHeaderLine,
        SpaceInUri,
        SuspiciousHeader,
        UndefinedContentLengthSemantics,
        UndefinedTransferEncodingSemantics,
    }
    our own {
        SuspiciousTeClPresent,
    }
}

/// A counter for each reason.
#[derive(Debug, Default)]
pub(crate) struct ReasonCounters([Counter; Reason::ALL.len()]);

impl ReasonCounters {
    pub(crate) fn increment(&self, reason: Reason) {
        self.0[reason as usize].increment();
    }

    /// The name of every reason, and how many requests had it.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let values = self.0.iter().map(Counter::value);
        Reason::ALL.map(Reason::name).into_iter().zip(values)
    }
}
