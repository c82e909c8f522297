using System.Net;
using System.Xml.Linq;
using DicomServerless.EdgeGateway.Audit;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.Unit.Gateway;

/// <summary>Which messages of PS3.15 A.5.3 follow from which transactions.</summary>
public sealed class AuditEventsTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private readonly AuditEvents events =
        new(GatewayConfiguration.Load(["--Gateway:Destinations:archive:Url=https://archive.example/dicomweb"], Path.GetTempPath(), [])!);

    [Fact]
    public void The_stores_of_an_association_make_one_message_at_its_end()
    {
        var store = new Transaction { Time = At, Kind = TransactionKind.Store, Association = 7, CallingAe = "CT",
            CalledAe = "DICOMGW", Remote = "10.0.0.1", Result = TransactionResult.Success, Count = 1, Study = "1.2" };
        Assert.Empty(events.Of(store));
        Assert.Empty(events.Of(store));
        Assert.Empty(events.Of(store with { Study = "1.3", Count = 0, Failed = 1, Result = TransactionResult.Failure }));
        var message = Assert.Single(events.Of(new Transaction
            { Time = At, Kind = TransactionKind.Association, Association = 7, Result = TransactionResult.Success }));
        Assert.Equal(("110104", 'C', 4), (message.Event.Value, message.Action, message.Outcome));
        Assert.Equal([new("1.2", 2)], message.Studies);
        Assert.Empty(events.Of(new Transaction { Time = At, Kind = TransactionKind.Association, Association = 7, Result = TransactionResult.Success }));
    }

    [Fact]
    public void A_forward_begins_and_ends()
    {
        var messages = events.Of(new Transaction { Time = At, Kind = TransactionKind.Forward, Destination = "archive",
            Count = 2, Duration = 1000, Result = TransactionResult.Success, Study = "1.2" }).ToArray();
        Assert.Equal(["110102", "110104"], messages.Select(message => message.Event.Value));
        Assert.Equal(At.AddSeconds(-1), messages[0].Time);
        Assert.Contains(messages[1].Participants, participant => participant is { UserId: "archive", Address: "archive.example" });
    }

    [Theory]
    [InlineData("Query", "110112", 'E')]
    [InlineData("Download", "110103", 'R')]
    [InlineData("Replace", "110103", 'U')]
    [InlineData("Retry", "110103", 'U')]
    [InlineData("Purge", "110103", 'D')]
    public void What_a_user_did_names_the_user(string action, string code, char kind)
    {
        var record = new Transaction { Time = At, Kind = TransactionKind.Operator, Action = Enum.Parse<OperatorAction>(action),
            User = "admin", Remote = "10.0.0.2", Result = TransactionResult.Failure, Detail = "No." };
        var message = Assert.Single(events.Of(record));
        Assert.Equal((code, kind, 4, "No."), (message.Event.Value, message.Action, message.Outcome, message.Description));
        Assert.Equal(("admin", "10.0.0.2", true), (message.Participants[0].UserId, message.Participants[0].Address, message.Participants[0].IsRequestor));
    }

    [Theory]
    [InlineData("TryDestination")]
    [InlineData("Echo")]
    public void What_touched_no_patient_data_makes_no_message(string action) => Assert.Empty(events.Of(new Transaction
        { Time = At, Kind = TransactionKind.Operator, Action = Enum.Parse<OperatorAction>(action), User = "admin", Result = TransactionResult.Success }));

    [Fact]
    public void A_rejected_association_is_a_security_alert_and_a_login_an_authentication()
    {
        Assert.Equal("110113",
            Assert.Single(events.Of(new Transaction { Time = At, Kind = TransactionKind.Association, Result = TransactionResult.Rejected, CallingAe = "X" }))
            .Event.Value);
        var login = events.Login(AuditCode.Login, "admin", IPAddress.Loopback, false, At);
        Assert.Equal(("110114", 4), (login.Event.Value, login.Outcome));
    }

    [Fact]
    public void A_title_with_what_XML_cannot_hold_makes_a_message_all_the_same()
    {
        var message = events.Login(AuditCode.Login, "a\u0001<&>\uFFFF", null, true, At);
        var xml = XElement.Parse(System.Text.Encoding.UTF8.GetString(message.ToXml("source", "")));
        Assert.Equal("a?<&>?", (string?)xml.Elements("ActiveParticipant").First().Attribute("UserID"));
    }
}
