using System.Buffers;
using System.Text;

namespace DicomServerless.Dicom.Web;

/// <summary>
/// Reads a multipart message (RFC 2046 5.1) from a stream, part after part, in one buffer whatever the parts hold. Content may contain anything, also what
/// begins like the boundary: a boundary counts only as a whole line. Lines of the envelope may end with LF alone, as some senders write them.
/// </summary>
public sealed class MultipartReader(Stream body, string boundary) : IDisposable
{
    /// <summary>The longest boundary taken; RFC 2046 allows 70 characters, senders exceed that.</summary>
    public const int MaxBoundaryLength = 200;

    private const int BufferSize = 128 * 1024, MaxHeaderBytes = 16 * 1024, MaxPadding = 64;

    private readonly byte[] lineBoundary = Encoding.Latin1.GetBytes("\r\n--" + boundary);
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int start, end; // what is in the buffer and not given out
    private int clean;      // up to here it is content of the part
    private long given;     // of the part
    private int next;       // behind the boundary that ends the part
    private bool isAtEnd, hasLfLines, isInPart, isPartOver, isLastPart, isClosed;

    /// <summary>Whether a boundary was found at all.</summary>
    public bool HasBegun { get; private set; }

    // The part of CR LF - - boundary that ends content: LF on where the message's lines end so; what begins a message has no line end before it.
    private int InContent => hasLfLines ? 1 : 0;
    private const int AtLineStart = 2;

    /// <summary>The next part; null at the end of the message. What is left of the part before is skipped.</summary>
    public async ValueTask<MultipartPart?> ReadNextAsync(CancellationToken cancellationToken)
    {
        if (!HasBegun && !await SkipPreambleAsync(cancellationToken)) return null;
        if (isInPart) await SkipPartAsync(cancellationToken);
        // A message may end behind a boundary that lacks the two hyphens: then it has no further part.
        if (isClosed || (start == end && !await FillAsync(cancellationToken))) return null;
        return await ReadHeadersAsync(cancellationToken);
    }

    /// <inheritdoc />
    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer, clearArray: true); // it held patient data

    private async ValueTask<bool> SkipPreambleAsync(CancellationToken cancellationToken)
    {
        for (var isLineStart = true; ;)
        {
            if (isLineStart && await MatchAsync(0, AtLineStart, cancellationToken) is { } match)
            {
                HasBegun = true;
                start += match.Length;
                (isClosed, hasLfLines) = (match.IsLast, match.IsLf);
                return true;
            }
            var line = buffer.AsSpan(start, end - start).IndexOf((byte)'\n') + 1;
            isLineStart = line > 0;
            start = isLineStart ? start + line : end;
            if (start == end && !await FillAsync(cancellationToken)) return false;
        }
    }

    private async ValueTask<MultipartPart> ReadHeadersAsync(CancellationToken cancellationToken)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var problem = await ReadHeadersAsync(headers, cancellationToken);
        (isInPart, isPartOver, given, clean) = (true, false, 0, start);
        // The empty line may itself be the line end before the boundary: a part without content.
        if (problem is null && await MatchAsync(0, AtLineStart, cancellationToken) is { } match) EndPart(match, 0);
        return new MultipartPart(headers, problem, new PartStream(this));
    }

    private async ValueTask<string?> ReadHeadersAsync(Dictionary<string, string> headers, CancellationToken cancellationToken)
    {
        string? last = null;
        for (var total = 0; ;)
        {
            var length = await FindLineAsync(cancellationToken);
            if (length == 0)
                return isAtEnd ? "The request ends inside the headers of the part." : $"The headers of the part are longer than {MaxHeaderBytes} bytes.";
            if ((total += length) > MaxHeaderBytes) return $"The headers of the part are longer than {MaxHeaderBytes} bytes.";
            var text = Encoding.Latin1.GetString(buffer, start, length).TrimEnd('\n', '\r');
            start += length;
            if (text.Length == 0) return null;
            if (text[0] is ' ' or '\t' && last is not null)
            {
                headers[last] += " " + text.Trim(); // obsolete line folding
                continue;
            }
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) return "A line in the headers of the part has no name and colon.";
            headers.TryAdd(last = text[..colon].Trim(), text[(colon + 1)..].Trim());
        }
    }

    // The length of the next line with its end; 0 if there is none within what headers may take.
    private async ValueTask<int> FindLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n') + 1;
            if (length > 0) return length;
            if (end - start > MaxHeaderBytes || !await FillAsync(cancellationToken)) return 0;
        }
    }

    private async ValueTask SkipPartAsync(CancellationToken cancellationToken)
    {
        while (await MakeContentAsync(cancellationToken))
        {
            given += clean - start;
            start = clean;
        }
        isInPart = false;
        if (isPartOver) start = next;
        isClosed = isLastPart || !isPartOver; // else the message is cut off
    }

    private async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (destination.IsEmpty) return 0;
        if (!await MakeContentAsync(cancellationToken))
            return isPartOver ? 0 : throw new InvalidDataException("The request ends before the part does: its closing boundary is missing.");
        var count = Math.Min(destination.Length, clean - start);
        buffer.AsMemory(start, count).CopyTo(destination);
        start += count;
        given += count;
        return count;
    }

    // Makes sure that there is content between start and clean. False at the end of the part, or of a message that is cut off.
    private async ValueTask<bool> MakeContentAsync(CancellationToken cancellationToken)
    {
        while (start == clean)
        {
            if (isPartOver) return false;
            var found = buffer.AsSpan(start, end - start).IndexOf(lineBoundary.AsSpan(InContent));
            if (found < 0)
            {
                // The last bytes may be the beginning of a boundary, and of the CR before it.
                clean = isAtEnd ? end : Math.Max(start, end - (lineBoundary.Length - 1));
                if (start == clean && !await FillAsync(cancellationToken) && start == end) return false;
                continue;
            }
            var lineEnd = hasLfLines && found > 0 && buffer[start + found - 1] == '\r' ? found - 1 : found;
            if (lineEnd > 0) clean = start + lineEnd;
            else if (await MatchAsync(found, InContent, cancellationToken) is not { } match) clean = start + found + 1; // it only begins like one
            else EndPart(match, found);
        }
        return true;
    }

    // Where lines end with LF, a CR before it is content unless it makes the length odd: that of a DICOM object is even (PS3.5 7.1.1).
    private void EndPart(Match match, int offset)
    {
        (isPartOver, isLastPart) = (true, match.IsLast);
        next = start + offset + match.Length;
        clean = offset == 1 && (given & 1) == 1 ? start + 1 : start;
    }

    private readonly record struct Match(int Length, bool IsLast, bool IsLf);

    // The boundary line at this distance from start, if one is there. Reads no further than it must to decide.
    private async ValueTask<Match?> MatchAsync(int offset, int skip, CancellationToken cancellationToken)
    {
        Match? match;
        while (!TryMatch(buffer.AsSpan(start + offset, end - start - offset), skip, out match)) await FillAsync(cancellationToken);
        return match;
    }

    // False if more bytes are needed to know. The length counts from where the compared bytes begin.
    private bool TryMatch(ReadOnlySpan<byte> line, int skip, out Match? match)
    {
        match = null;
        var wanted = lineBoundary.AsSpan(skip);
        if (line.Length < wanted.Length) return isAtEnd || !wanted.StartsWith(line);
        if (!line.StartsWith(wanted)) return true;
        var length = wanted.Length;
        if (line[length..] is [(byte)'-'] && !isAtEnd) return false;
        var isLast = line[length..].StartsWith("--"u8);
        if (isLast) length += 2;
        for (var padding = 0; padding < MaxPadding && length < line.Length && line[length] is (byte)' ' or (byte)'\t'; padding++) length++;
        var rest = line[length..];
        if (!isAtEnd && (rest.IsEmpty || rest is [(byte)'\r'])) return false;
        if (rest.IsEmpty) match = new Match(length, true, false);
        else if (rest[0] == '\n') match = new Match(length + 1, isLast, true);
        else if (rest.StartsWith("\r\n"u8)) match = new Match(length + 2, isLast, false);
        return true;
    }

    // Reads more. False at the end of the body.
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (isAtEnd) return false;
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (clean, end, start) = (clean - start, end - start, 0);
        }
        var count = await body.ReadAsync(buffer.AsMemory(end), cancellationToken);
        end += count;
        isAtEnd = count == 0;
        return !isAtEnd;
    }

    private sealed class PartStream(MultipartReader reader) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            reader.ReadAsync(buffer, cancellationToken);
        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
