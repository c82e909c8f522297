using System.Buffers;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Query;

namespace DicomServerless.CoverageFuzz;

/// <summary>
/// What is fuzzed. Each target takes any bytes, and throws where a promise is broken: hostile bytes are refused as values, never by an exception, and what is
/// accepted survives a round trip.
/// </summary>
internal static class Targets
{
    /// <summary>The targets by name.</summary>
    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new Dictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["object"] = Object, ["json"] = Json, ["xml"] = Xml, ["stow-answer"] = StowAnswerOf, ["identifier"] = IdentifierOf, ["pdu"] = Pdus,
    };

    // Small caps, so that a short input reaches them.
    private static readonly DicomLimits Limits = new()
        { MaxDepth = 16, MaxElements = 10_000, MaxHeaderBytes = 1024 * 1024, MaxInflatedBytes = 4 * 1024 * 1024, MaxFragments = 1_000 };

    // Tokenizer, texts and frame tables: however the bytes are cut, the result is the same; its JSON is JSON; its frame table comes back from its bytes.
    private static void Object(byte[] input)
    {
        var (whole, wholeError) = Scan(input, input.Length);
        var (pieces, piecesError) = Scan(input, 1 + (input.Length % 13));
        Check(whole is null == pieces is null, "an object is accepted or not depending on how it is cut");
        // How much comes out of a damaged deflate stream before the damage is told depends on the pieces.
        Check(wholeError?.Kind == DicomErrorKind.BadDeflate || piecesError?.Kind == DicomErrorKind.BadDeflate
            || (wholeError?.Kind == piecesError?.Kind && wholeError?.Offset == piecesError?.Offset),
            $"the error depends on how the object is cut: {wholeError?.Message} / {piecesError?.Message}");
        if (whole is null || pieces is null) return;
        var (json, other) = (JsonOf(whole.DataSet), JsonOf(pieces.DataSet));
        Check(json.AsSpan().SequenceEqual(other), "the metadata depend on how the object is cut");
        using (System.Text.Json.JsonDocument.Parse(json, AttributeJson.DocumentOptions)) { }
        if (whole.Frames is not { } frames) return;
        var bytes = frames.ToBytes();
        Check(FrameTable.TryParse(bytes, out var table) && table!.ToBytes().AsSpan().SequenceEqual(bytes), "a frame table does not come back from its bytes");
        for (var number = 1; number <= Math.Min(frames.Count, 100); number++)
            foreach (var range in frames.Frame(number).Span)
                Check(range.Offset >= 0 && range.Length >= 0 && (whole.IsDeflated || range.Offset + range.Length <= whole.DataSetLength),
                    "a frame lies outside the object");
    }

    private static (InstanceScan?, DicomError?) Scan(byte[] input, int step)
    {
        using var scanner = new InstanceScanner(new ScanOptions { Limits = Limits });
        for (var at = 0; at < input.Length; at += step)
            if (scanner.Push(input.AsSpan(at, Math.Min(step, input.Length - at))) == ScanStatus.Refused) return (null, scanner.Error);
        return scanner.Complete() == ScanStatus.Complete ? (scanner.Result, null) : (null, scanner.Error);
    }

    // What was read is written, read again, and written the same.
    private static void Json(byte[] input)
    {
        if (!DicomJsonReader.TryRead(input, Limits, out var dataSet, out var error, new Dictionary<string, string>()))
        {
            Check(error is not null, "JSON is refused without a reason");
            return;
        }
        if (HoldsBulk(dataSet)) return;
        var first = JsonOf(dataSet);
        Check(DicomJsonReader.TryRead(first, null, out var again, out error), "JSON that was written cannot be read: " + error?.Message);
        Check(JsonOf(again).AsSpan().SequenceEqual(first), "JSON changes when it is written twice");
    }

    private static void Xml(byte[] input)
    {
        if (!DicomXmlReader.TryRead(input, Limits, out var dataSet, out var error, new Dictionary<string, string>()))
        {
            Check(error is not null, "XML is refused without a reason");
            return;
        }
        if (HoldsBulk(dataSet)) return;
        var xml = new MemoryStream();
        DicomXmlWriter.Write(JsonOf(dataSet), xml);
        Check(DicomXmlReader.TryRead(xml.ToArray(), null, out _, out error), "XML that was written cannot be read: " + error?.Message);
    }

    private static void StowAnswerOf(byte[] input)
    {
        if (StowAnswer.TryRead(input) is not { } answer) return;
        Check(answer.StoredCount >= 0, "a count below zero");
        _ = answer.OnlyFailure;
    }

    private static void IdentifierOf(byte[] input)
    {
        foreach (var encoding in new[] { DicomEncoding.ImplicitLittleEndian, DicomEncoding.ExplicitLittleEndian, DicomEncoding.ExplicitBigEndian })
        {
            if (!DataSet.TryParse(input, encoding, Limits, out var dataSet, out _)) continue;
            if (Identifier.Read(dataSet, isPatientRoot: true, null, out var problem) is not { } identifier)
            {
                Check(problem is not null, "an identifier is refused without a reason");
                continue;
            }
            // One patient by one unwildcarded ID, or nothing (PS3.4 C.4.2.2.1).
            if (identifier.Level == QueryLevel.Patient && identifier.ProblemOfRetrieve(isRelational: true) is null)
                Check(identifier.PatientId is { Length: > 0 } id && id.AsSpan().IndexOfAny('*', '?', '\\') < 0, "a retrieve names no one patient");
            identifier.ProblemOfFind(isPatientRoot: true, isRelational: false);
            new Match(dataSet).ToIdentifier(identifier, DicomEncoding.ExplicitLittleEndian, "AE", "ISO_IR 100");
        }
    }

    // A PDU that was read is written and read again, and is the same; a command set too.
    private static void Pdus(byte[] input)
    {
        var rest = input.AsSpan();
        while (!rest.IsEmpty)
        {
            var status = PduReader.TryRead(rest, PduLimits.Default, out var pdu, out var consumed, out _);
            if (status != PduStatus.Done) break;
            Check(consumed > 0 && consumed <= rest.Length, "a PDU of no bytes, or of more than there are");
            var written = new ArrayBufferWriter<byte>();
            PduWriter.Write(pdu!, written);
            var again = PduReader.TryRead(written.WrittenSpan, PduLimits.Default, out var second, out _, out var error);
            Check(again == PduStatus.Done, "a PDU that was written cannot be read: " + error);
            var twice = new ArrayBufferWriter<byte>();
            PduWriter.Write(second!, twice);
            Check(twice.WrittenSpan.SequenceEqual(written.WrittenSpan), "a PDU changes when it is written twice");
            if (pdu is DataTransfer data)
                foreach (var value in data.Values)
                    Command(value.Data.ToArray());
            rest = rest[consumed..];
        }
        Command(input);
    }

    private static void Command(byte[] input)
    {
        if (!CommandSet.TryRead(input, out var command, out _)) return;
        var written = new ArrayBufferWriter<byte>();
        CommandSet.Write(command!, hasDataSet: false, written);
        Check(CommandSet.TryRead(written.WrittenSpan, out _, out _), "a command set that was written cannot be read");
    }

    private static byte[] JsonOf(DataSet dataSet)
    {
        var json = new ArrayBufferWriter<byte>();
        DicomJsonWriter.Write(dataSet, json);
        return json.WrittenSpan.ToArray();
    }

    private static bool HoldsBulk(DataSet dataSet) => dataSet.BulkValues().Count > 0;

    private static void Check(bool holds, string broken)
    {
        if (!holds) throw new InvalidOperationException(broken);
    }
}
