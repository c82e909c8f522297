using System.Globalization;
using System.Text.Json;

namespace DicomServerless.Dicom;

/// <summary>Why a DICOM JSON text is refused. Names the place, never a value.</summary>
/// <param name="Path">The element, such as <c>00081140/2/00081150</c>; empty at the top.</param>
/// <param name="Detail">A clause for a user.</param>
public sealed record DicomJsonError(string Path, string Detail)
{
    /// <summary>A sentence for a user.</summary>
    public string Message => Path.Length == 0 ? $"The JSON {Detail}." : $"Element {Path}: {Detail}.";
}

/// <summary>
/// Reads the DICOM JSON model (PS3.18 annex F): one data set, as explicit VR little endian would have it, texts in UTF-8. Bounded by <see cref="DicomLimits"/>;
/// nesting is kept on a stack of our own. A BulkDataURI is given to the caller and leaves an element without a kept value.
/// </summary>
public static class DicomJsonReader
{
    /// <summary>Reads one JSON object. False, with an error that names the place, when it is not DICOM JSON or more than the limits allow.</summary>
    /// <param name="utf8">The whole text.</param>
    /// <param name="limits">The caps; null for the defaults.</param>
    /// <param name="dataSet">What was read; its keys ascend whatever their order in the text.</param>
    /// <param name="error">Why it was refused.</param>
    /// <param name="bulkDataUris">When given, takes the URI of each element that has one, by path.</param>
    /// <param name="keepCharacterSets">Whether Specific Character Set stays as it is stated; else it says ISO_IR 192, which is what the texts are in.</param>
    public static bool TryRead(ReadOnlySpan<byte> utf8, DicomLimits? limits, out DataSet dataSet,
        out DicomJsonError? error, IDictionary<string, string>? bulkDataUris = null, bool keepCharacterSets = false)
    {
        limits ??= DicomLimits.Default;
        dataSet = DataSet.Empty;
        if (utf8.Length > limits.MaxHeaderBytes)
        {
            error = new DicomJsonError("", $"is longer than {limits.MaxHeaderBytes} bytes");
            return false;
        }
        // A sequence is three levels of JSON: its element, its Value, an item.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = Math.Min(1_000_000, (limits.MaxDepth * 3) + 8) });
        var state = new DicomJsonState(limits, bulkDataUris, keepCharacterSets);
        try
        {
            if (!state.Read(ref reader)) error = state.Error;
            else if (reader.Read()) error = new DicomJsonError("", "goes on after the object");
            else
            {
                dataSet = state.Build();
                error = null;
            }
        }
        catch (JsonException exception)
        {
            error = new DicomJsonError(state.Path,
                string.Create(CultureInfo.InvariantCulture, $"is not valid JSON at byte {exception.BytePositionInLine} of line {exception.LineNumber + 1}"));
        }
        catch (InvalidOperationException)
        {
            // The reader's answer to a text that is no Unicode: half a surrogate pair, or bytes that are no UTF-8.
            error = new DicomJsonError(state.Path, "holds a text that is no Unicode");
        }
        return error is null;
    }
}
