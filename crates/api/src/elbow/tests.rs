//! The operations on accounts and access keys.

use control::Control;

use super::OPERATIONS;
use crate::query;
use crate::signed::control_plane;

async fn ask(control: &Control, form: &str) -> Result<String, String> {
    let input = query::decode(form.as_bytes()).expect(form);
    let action = input.text("Action").expect(form);
    let answer = OPERATIONS.call(control, action, &input).await;
    answer
        .map(|xml| xml.as_str().to_owned())
        .map_err(|error| format!("{} {}: {}", error.code, error.status, error.message))
}

fn between<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{name}>")).expect(name);
    rest.split_once(&format!("</{name}>")).expect(name).0
}

#[tokio::test]
async fn a_secret_is_told_once() {
    let control = control_plane().await;
    let made = ask(
        &control,
        "Action=CreateAccessKey&UserName=ci&Access=read-only",
    )
    .await;
    let made = made.unwrap();
    let id = between(&made, "AccessKeyId");
    assert_eq!(between(&made, "SecretAccessKey").len(), 40);
    let listed = ask(&control, "Action=ListAccessKeys").await.unwrap();
    assert_eq!(
        listed,
        format!(
            "<AccessKeyMetadata><member><AccountId>123456789012</AccountId><UserName>ci</UserName>\
             <AccessKeyId>{id}</AccessKeyId><Access>read-only</Access><CreateDate>2026-01-02T03:04:05.000Z</CreateDate></member>\
             </AccessKeyMetadata>"
        )
    );
    let form = format!("Action=DeleteAccessKey&AccessKeyId={id}");
    assert_eq!(ask(&control, &form).await.as_deref(), Ok(""));
    let listed = ask(&control, "Action=ListAccessKeys").await.unwrap();
    assert_eq!(listed, "<AccessKeyMetadata></AccessKeyMetadata>");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused() {
    let control = control_plane().await;
    ask(&control, "Action=CreateAccessKey&UserName=ci")
        .await
        .unwrap();
    for (form, refusal) in [
        (
            "Action=CreateAccessKey&UserName=ci",
            "EntityAlreadyExists 409: The access key AKIA",
        ),
        (
            "Action=CreateAccessKey&UserName=a%20b",
            "ValidationError 400: 'a b' cannot name a user; use 1 to 64 letters, digits and any of _+=,.@-",
        ),
        (
            "Action=CreateAccessKey&Access=some",
            "ValidationError 400: 1 validation error detected: Value 'some' at 'access' failed to satisfy \
             constraint: Member must satisfy enum value set: [full, read-only]",
        ),
        (
            "Action=DeleteAccessKey",
            "ValidationError 400: 1 validation error detected: Value null at",
        ),
        (
            "Action=DeleteAccessKey&AccessKeyId=AKIAIOSFODNN7EXAMPLE",
            "NoSuchEntity 404: The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.",
        ),
        (
            "Action=CreateAccount&AccountId=12",
            "ValidationError 400: '12' is not an AWS account: it has exactly 12 digits",
        ),
        (
            "Action=CreateAccount&AccountId=123456789012",
            "EntityAlreadyExists 409: There is an account 123456789012 already.",
        ),
        (
            "Action=CreateAccount&AccountId=210987654321&VpcCidr=10.0.0.0/16",
            "ValidationError 400: The block 10.0.0.0/16 is not in 127.0.0.0/8",
        ),
        // The key that `call` calls with.
        (
            "Action=DeleteAccessKey&AccessKeyId=KEY",
            "DeleteConflict 409: The root key cannot be revoked.",
        ),
    ] {
        let refused = ask(&control, form).await.expect_err(form);
        assert!(refused.starts_with(refusal), "{form}: {refused}");
    }
}

#[tokio::test]
async fn an_account_is_made_with_blocks_of_its_own() {
    let control = control_plane().await;
    let of_account = "<Id>210987654321</Id><VpcCidr>127.67.0.0/16</VpcCidr><ElasticCidr>127.66.1.0/24</ElasticCidr>\
                      <Subnets><member><AvailabilityZone>us-east-1a</AvailabilityZone><CidrBlock>127.67.1.0/24\
                      </CidrBlock></member><member><AvailabilityZone>us-east-1b</AvailabilityZone><CidrBlock>\
                      127.67.2.0/24</CidrBlock></member></Subnets><JoinedTimestamp>2026-01-02T03:04:05.000Z\
                      </JoinedTimestamp>";
    let made = ask(&control, "Action=CreateAccount&AccountId=210987654321").await;
    assert_eq!(made.unwrap(), format!("<Account>{of_account}</Account>"));
    let listed = ask(&control, "Action=ListAccounts").await;
    let expected = format!("<Accounts><member>{of_account}</member></Accounts>");
    assert_eq!(listed.unwrap(), expected);
}
