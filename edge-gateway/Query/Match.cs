using System.Buffers;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>One answer to a query: attributes, and those that were computed instead.</summary>
internal sealed class Match(DataSet attributes)
{
    private readonly SortedDictionary<Tag, (Vr Vr, byte[] Value)> computed = [];

    /// <summary>The attributes as the archive or the waiting object has them.</summary>
    public DataSet Attributes => attributes;

    /// <summary>Sets an attribute.</summary>
    public void Set(Tag tag, Vr vr, string value) => computed[tag] = (vr, Encoding.ASCII.GetBytes(value));

    /// <summary>The text of an attribute; empty if there is none.</summary>
    public string Text(Tag tag) => computed.TryGetValue(tag, out var found) ? Encoding.ASCII.GetString(found.Value) : attributes.GetString(tag) ?? "";

    /// <summary>Writes the identifier of a C-FIND response: every attribute that was asked for, empty where it is not known (PS3.4 C.4.1.1.3.2).</summary>
    public byte[] ToIdentifier(Identifier request, DicomEncoding encoding, string retrieveAeTitle, string fallbackCharacterSet)
    {
        Set(Tags.QueryRetrieveLevel, Vr.CS, request.Level switch
            { QueryLevel.Patient => "PATIENT", QueryLevel.Study => "STUDY", QueryLevel.Series => "SERIES", _ => "IMAGE" });
        Set(Tags.RetrieveAETitle, Vr.AE, retrieveAeTitle);
        Set(Tags.InstanceAvailability, Vr.CS, "ONLINE");
        var wanted = new SortedSet<Tag>(request.Requested) { Tags.QueryRetrieveLevel, Tags.RetrieveAETitle, Tags.InstanceAvailability };
        var isAscii = true;
        var body = new ArrayBufferWriter<byte>(1024);
        var writer = new DataSetWriter(body, encoding);
        foreach (var tag in wanted)
        {
            if (tag == Tags.SpecificCharacterSet) continue;
            if (computed.TryGetValue(tag, out var value)) writer.Write(tag, value.Vr, value.Value);
            else if (attributes.TryGet(tag, out var element) && !element.HoldsBulk)
            {
                isAscii &= element.IsSequence ? false : !element.Value.Span.ContainsAnyExceptInRange((byte)0, (byte)127)
                    && !element.Value.Span.Contains((byte)0x1B);
                writer.Write(element);
            }
            else if (DicomDictionary.VrOf(tag) == Vr.SQ)
            {
                writer.BeginSequence(tag);
                writer.EndSequence();
            }
            else writer.Write(tag, DicomDictionary.VrOf(tag), []);
        }
        var result = new ArrayBufferWriter<byte>(body.WrittenCount + 32);
        // Group 0008 comes first in every identifier, and (0008,0005) is its first element here.
        if (!isAscii)
        {
            var set = attributes.ValueOf(Tags.SpecificCharacterSet);
            new DataSetWriter(result, encoding).Write(Tags.SpecificCharacterSet, Vr.CS, set.IsEmpty ? Encoding.ASCII.GetBytes(fallbackCharacterSet) : set.Span);
        }
        result.Write(body.WrittenSpan);
        return result.WrittenSpan.ToArray();
    }
}
