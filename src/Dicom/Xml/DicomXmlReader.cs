using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Xml;

namespace DicomServerless.Dicom;

/// <summary>Why a Native DICOM Model is refused. Names the place, never a value.</summary>
/// <param name="Path">The element, such as <c>00081140/2/00081150</c>; empty at the top.</param>
/// <param name="Detail">A clause for a user.</param>
public sealed record DicomXmlError(string Path, string Detail)
{
    /// <summary>A sentence for a user.</summary>
    public string Message => Path.Length == 0 ? $"The XML {Detail}." : $"Element {Path}: {Detail}.";
}

/// <summary>
/// Reads the Native DICOM Model (PS3.19 A.1) as DICOM JSON, which <see cref="DicomJsonReader"/> then takes, so that both forms mean the same. No DTD, no
/// entities, nothing is fetched; bounded by <see cref="DicomLimits"/>; nesting is kept on a stack of our own.
/// </summary>
public static class DicomXmlReader
{
    /// <summary>Reads one document as a data set. False, with an error that names the place, when it is refused.</summary>
    /// <param name="xml">The whole document, in the encoding that it declares.</param>
    /// <param name="limits">The caps; null for the defaults.</param>
    /// <param name="dataSet">What was read; its keys ascend.</param>
    /// <param name="error">Why it was refused.</param>
    /// <param name="bulkDataUris">When given, takes the URI of each element that has one, by path.</param>
    public static bool TryRead(ReadOnlyMemory<byte> xml, DicomLimits? limits, out DataSet dataSet,
        out DicomXmlError? error, IDictionary<string, string>? bulkDataUris = null)
    {
        var json = new ArrayBufferWriter<byte>();
        dataSet = DataSet.Empty;
        if (!TryReadJson(xml, limits, json, out error)) return false;
        if (DicomJsonReader.TryRead(json.WrittenSpan, limits, out dataSet, out var inner, bulkDataUris)) return true;
        error = new DicomXmlError(inner!.Path, inner.Detail);
        return false;
    }

    /// <summary>Turns one document into a JSON object. What is wrong with values is left to the reader of JSON.</summary>
    public static bool TryReadJson(ReadOnlyMemory<byte> xml, DicomLimits? limits, IBufferWriter<byte> json, out DicomXmlError? error)
    {
        ArgumentNullException.ThrowIfNull(json);
        limits ??= DicomLimits.Default;
        if (xml.Length > limits.MaxHeaderBytes)
        {
            error = new DicomXmlError("", $"is longer than {limits.MaxHeaderBytes} bytes");
            return false;
        }
        var conversion = default(XmlToJson);
        try
        {
            using var first = Open(xml, limits);
            var blocks = PrivateBlocks.Read(first);
            using var second = Open(xml, limits);
            using var writer = new Utf8JsonWriter(json, new JsonWriterOptions
                { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = Math.Min(1_000_000, (limits.MaxDepth * 3) + 8) });
            conversion = new XmlToJson(second, writer, blocks, limits);
            error = conversion.Read() ? null : conversion.Error;
        }
        catch (XmlException exception)
        {
            // Its message may quote the text.
            error = new DicomXmlError(conversion?.Path ?? "",
                string.Create(CultureInfo.InvariantCulture,
                $"is not valid XML without a DTD at line {exception.LineNumber}, position {exception.LinePosition}"));
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or FormatException)
        {
            // half a surrogate pair, an encoding that nobody knows
            error = new DicomXmlError(conversion?.Path ?? "", "has an encoding or a text that cannot be read");
        }
        return error is null;
    }

    private static XmlReader Open(ReadOnlyMemory<byte> xml, DicomLimits limits) => XmlReader.Create(new ReadOnlyMemoryStream(xml), new XmlReaderSettings
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        MaxCharactersInDocument = limits.MaxHeaderBytes,
        CloseInput = true,
    });

    private sealed class ReadOnlyMemoryStream(ReadOnlyMemory<byte> bytes) : Stream
    {
        private int at;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => bytes.Length;
        public override long Position { get => at; set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, bytes.Length - at);
            bytes.Span.Slice(at, count).CopyTo(buffer);
            at += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
