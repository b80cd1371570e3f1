# What the tests need in an empty Request Tracker: a queue, the field for our key, a service account with no more
# rights than docs ask for, an administrator's token. Run once by request-tracker.sh; prints NAME='value' lines.
use strict;
use warnings;
use lib '/usr/share/request-tracker5/lib';
use RT;

RT->LoadConfig;
RT->Init;
my $nobody_special = RT->SystemUser;

# RT's methods answer (value, message), with a false value when they refuse.
sub must {
    my ( $doing, $value, $message ) = @_;
    return $value if $value;
    die "$doing: " . ( $message || 'refused without a reason' ) . "\n";
}

sub fresh { my $class = shift; return $class->new($nobody_special) }

my $queue = fresh('RT::Queue');
must( 'make the queue', $queue->Create( Name => 'Certificates' ) );

my $key_field = fresh('RT::CustomField');
must( 'make the key field',
    $key_field->Create( Name => 'CertDesk Key', LookupType => RT::Ticket->CustomFieldLookupType, Type => 'Freeform', MaxValues => 1 ) );
must( 'apply the key field', $key_field->AddToObject($queue) );

# A second queue without the field, for what happens when an administrator forgot it.
my $bare = fresh('RT::Queue');
must( 'make the bare queue', $bare->Create( Name => 'Bare' ) );

my $account = fresh('RT::User');
must( 'make the service account',
    $account->Create( Name => 'certdesk', Password => $ENV{LAB_PASSWORD}, EmailAddress => 'certdesk@lab.test', Privileged => 1 ) );
for my $where ( $queue, $bare ) {
    for my $right (qw(SeeQueue CreateTicket ShowTicket ShowTicketComments CommentOnTicket ModifyTicket SeeCustomField ModifyCustomField)) {
        must( "grant $right", $account->PrincipalObj->GrantRight( Object => $where, Right => $right ) );
    }
}

sub token_of {
    my $name = shift;
    my $user = fresh('RT::User');
    must( "find $name", $user->Load($name) );
    my ( $id, $message, $token ) = fresh('RT::AuthToken')->Create( Owner => $user->Id, Description => 'lab' );
    must( "make a token for $name", $id, $message );
    return $token;
}

printf "RT_TOKEN='%s'\nRT_ADMIN_TOKEN='%s'\n", token_of('certdesk'), token_of('root');
