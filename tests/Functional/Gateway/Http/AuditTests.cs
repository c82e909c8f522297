using System.Xml.Linq;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway.Http;

public sealed class AuditTests
{
    [Theory]
    [InlineData("Udp", true)]
    [InlineData("Tls", false)]
    public async Task Rsyslog_receives_what_happened(string transport, bool includeStudies)
    {
        if (!Peers.Require(Rsyslog.Program) || !Peers.Require(Rsyslog.TlsModule)) return;
        await using var syslog = await Rsyslog.StartAsync();
        await using (var archive = await RefusingArchive.StartAsync(new()
        {
            ["Gateway__Audit__Enabled"] = "true", ["Gateway__Audit__Host"] = transport == "Udp"
                ? "127.0.0.1" : "localhost", ["Gateway__Audit__Port"] = $"{syslog.Port}", ["Gateway__Audit__Transport"] = transport,
            ["Gateway__Audit__AuthorityPath"] = syslog.AuthorityPath,
                ["Gateway__Audit__IncludeStudies"] = $"{includeStudies}", ["Gateway__Audit__SourceId"] = "edge-1",
        }))
        {
            archive.TakeAll();
            await archive.StoreAsync(1, 2);
            await Assert.ThrowsAsync<AssociationRejectedException>(() =>
                Modality.Client.ConnectAsync(Modality.Peer(archive.Gateway, called: "NOBODY<&>"), [Modality.Storage()], default));
            Assert.Equal(0, await archive.Gateway.StopAsync());
        }
        await ApiTests.UntilAsync(() => Task.FromResult(syslog.Received.Contains("Application Stop", StringComparison.Ordinal)));
        var lines = syslog.Received.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.Contains("DICOM+RFC3881", StringComparison.Ordinal)).ToArray();
        Assert.All(lines, line => Assert.Matches("^<85>1 [-0-9]{10}T[:.0-9]+Z [!-~]+ dicom-gateway [0-9]+ DICOM\\+RFC3881 - ", line));
        var messages = lines.Select(line => XElement.Parse(line[line.IndexOf("<AuditMessage", StringComparison.Ordinal)..])).ToArray();
        var events = messages.Select(message => (string?)message.Element("EventIdentification")!.Element("EventID")!.Attribute("originalText")).ToArray();
        foreach (var expected in new[] { "Application Activity", "DICOM Instances Transferred", "Begin Transferring DICOM Instances", "Security Alert" })
            Assert.Contains(expected, events);
        Assert.All(messages, message => Assert.Equal("edge-1", (string?)message.Element("AuditSourceIdentification")!.Attribute("AuditSourceID")));
        var stored = messages.Single(message => (string?)message.Element("EventIdentification")!.Attribute("EventActionCode") == "C");
        Assert.Equal(["MODALITY", "DICOMGW"], stored.Elements("ActiveParticipant").Select(participant => (string?)participant.Attribute("UserID")));
        Assert.Equal("127.0.0.1", (string?)stored.Elements("ActiveParticipant").First().Attribute("NetworkAccessPointID"));
        Assert.Equal(includeStudies ? ["1.2.840.9"] : [], stored.Elements("ParticipantObjectIdentification")
            .Select(study => (string)study.Attribute("ParticipantObjectID")!));
        Assert.Equal(includeStudies, syslog.Received.Contains("1.2.840.9", StringComparison.Ordinal));
    }
}
