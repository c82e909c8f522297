using System.Globalization;
using System.Text;
using System.Xml;

namespace DicomServerless.EdgeGateway.Audit;

/// <summary>A coded value of DCM (PS3.16 annex D).</summary>
internal readonly record struct AuditCode(string Value, string Meaning)
{
    public static readonly AuditCode ApplicationActivity = new("110100", "Application Activity"),
        BeginTransferring = new("110102", "Begin Transferring DICOM Instances"), InstancesAccessed = new("110103", "DICOM Instances Accessed"),
        InstancesTransferred = new("110104", "DICOM Instances Transferred"), Query = new("110112", "Query"), SecurityAlert = new("110113", "Security Alert"),
        UserAuthentication = new("110114", "User Authentication");

    public static readonly AuditCode ApplicationStart = new("110120", "Application Start"), ApplicationStop = new("110121", "Application Stop"),
        Login = new("110122", "Login"), Logout = new("110123", "Logout"), NodeAuthentication = new("110126", "Node Authentication");

    public static readonly AuditCode Application = new("110150", "Application"), Destination = new("110152", "Destination Role ID"),
        Source = new("110153", "Source Role ID");

    public static readonly AuditCode StudyInstanceUid = new("110180", "Study Instance UID");
}

/// <summary>A participant of an event.</summary>
/// <param name="UserId">An AE title, a user, or a URL's host.</param>
/// <param name="IsRequestor">Whether it asked for what happened.</param>
/// <param name="Role">As what.</param>
/// <param name="Address">Its machine: a name or an address; null if not known.</param>
internal readonly record struct AuditParticipant(string UserId, bool IsRequestor, AuditCode? Role, string? Address);

/// <summary>An audit message (PS3.15 A.5).</summary>
internal sealed record AuditMessage
{
    /// <summary>What happened.</summary>
    public required AuditCode Event { get; init; }
    /// <summary>What exactly.</summary>
    public AuditCode? Type { get; init; }
    /// <summary>C create, R read, U update, D delete, E execute.</summary>
    public required char Action { get; init; }
    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }
    /// <summary>0 success, 4 minor failure, 8 serious failure, 12 major failure.</summary>
    public int Outcome { get; init; }
    /// <summary>What went wrong.</summary>
    public string? Description { get; init; }
    /// <summary>Who took part; at least one.</summary>
    public required IReadOnlyList<AuditParticipant> Participants { get; init; }
    /// <summary>Studies by UID with how many of their instances.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> Studies { get; init; } = [];

    /// <summary>Writes it as XML, UTF-8 without a byte order mark.</summary>
    public byte[] ToXml(string sourceId, string siteId)
    {
        var output = new MemoryStream();
        using (var xml = XmlWriter.Create(output, new XmlWriterSettings { Encoding = new UTF8Encoding(false), Indent = false, CheckCharacters = false }))
        {
            xml.WriteStartElement("AuditMessage");
            xml.WriteStartElement("EventIdentification");
            xml.WriteAttributeString("EventActionCode", Action.ToString());
            xml.WriteAttributeString("EventDateTime", Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            xml.WriteAttributeString("EventOutcomeIndicator", Outcome.ToString(CultureInfo.InvariantCulture));
            Write(xml, "EventID", Event);
            if (Type is { } type) Write(xml, "EventTypeCode", type);
            if (Description is { } description) xml.WriteElementString("EventOutcomeDescription", Clean(description));
            xml.WriteEndElement();
            foreach (var participant in Participants) Write(xml, participant);
            xml.WriteStartElement("AuditSourceIdentification");
            if (siteId.Length > 0) xml.WriteAttributeString("AuditEnterpriseSiteID", Clean(siteId));
            xml.WriteAttributeString("AuditSourceID", Clean(sourceId));
            xml.WriteStartElement("AuditSourceTypeCode");
            xml.WriteAttributeString("csd-code", "4"); // an application server process
            xml.WriteEndElement();
            xml.WriteEndElement();
            foreach (var (study, count) in Studies) Write(xml, study, count);
            xml.WriteEndElement();
        }
        return output.ToArray();
    }

    private static void Write(XmlWriter xml, AuditParticipant participant)
    {
        xml.WriteStartElement("ActiveParticipant");
        xml.WriteAttributeString("UserID", Clean(participant.UserId));
        xml.WriteAttributeString("UserIsRequestor", participant.IsRequestor ? "true" : "false");
        if (participant.Address is { Length: > 0 } address)
        {
            xml.WriteAttributeString("NetworkAccessPointID", Clean(address));
            xml.WriteAttributeString("NetworkAccessPointTypeCode", System.Net.IPAddress.TryParse(address, out _) ? "2" : "1");
        }
        if (participant.Role is { } role) Write(xml, "RoleIDCode", role);
        xml.WriteEndElement();
    }

    // PS3.15 A.5.2: a study is a system object (2), a report (3).
    private static void Write(XmlWriter xml, string study, int count)
    {
        xml.WriteStartElement("ParticipantObjectIdentification");
        xml.WriteAttributeString("ParticipantObjectID", study);
        xml.WriteAttributeString("ParticipantObjectTypeCode", "2");
        xml.WriteAttributeString("ParticipantObjectTypeCodeRole", "3");
        Write(xml, "ParticipantObjectIDTypeCode", AuditCode.StudyInstanceUid);
        xml.WriteStartElement("ParticipantObjectDescription");
        xml.WriteStartElement("SOPClass");
        xml.WriteAttributeString("NumberOfInstances", count.ToString(CultureInfo.InvariantCulture));
        xml.WriteEndElement();
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void Write(XmlWriter xml, string element, AuditCode code)
    {
        xml.WriteStartElement(element);
        xml.WriteAttributeString("csd-code", code.Value);
        xml.WriteAttributeString("codeSystemName", "DCM");
        xml.WriteAttributeString("originalText", code.Meaning);
        xml.WriteEndElement();
    }

    // Peers choose AE titles and users: nothing that XML cannot hold, nothing long.
    private static string Clean(string text) =>
        string.Concat((text.Length > 256 ? text[..256] : text).Select(character => char.IsControl(character) || char.IsSurrogate(character)
            || character >= '\uFFFE' ? '?' : character));
}
