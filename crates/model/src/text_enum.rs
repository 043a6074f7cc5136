//! Enums whose variants have a fixed text in the API.

#[doc(hidden)]
pub use serde;

/// The text is none of the enum's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not one of the known values")]
pub struct UnknownText(pub String);

/// Declares an enum with the text of each variant: `ALL`, `as_str`, `Display`, `FromStr`, and the same
/// text in stored records. It removes the mistake of one list that lacks what another one has.
#[macro_export]
macro_rules! text_enum {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value, in the order of the API's model.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text of the API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::text_enum::UnknownText;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let unknown = || $crate::text_enum::UnknownText(text.to_owned());
                let mut all = Self::ALL.iter().copied();
                all.find(|value| value.as_str() == text).ok_or_else(unknown)
            }
        }

        impl $crate::text_enum::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> Result<S::Ok, S::Error>
            where
                S: $crate::text_enum::serde::Serializer,
            {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::text_enum::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
            where
                D: $crate::text_enum::serde::Deserializer<'de>,
            {
                use $crate::text_enum::serde::de::Error;
                let text = <String as $crate::text_enum::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}
