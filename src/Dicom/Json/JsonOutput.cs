using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace DicomServerless.Dicom;

/// <summary>
/// JSON bytes into a buffer writer. A writer of our own rather than Utf8JsonWriter: an element is a fixed pattern, numbers pass as their source text, and a
/// prefix may hold a control character as it is. Escapes only what RFC 8259 7 asks for, since the media type is application/dicom+json.
/// </summary>
internal ref struct JsonOutput(IBufferWriter<byte> output)
{
    private const int SmallestSpan = 4096;

    private static readonly SearchValues<byte> EscapedBytes = SearchValues.Create([.. Enumerable.Range(0, 32).Select(i => (byte)i), (byte)'"', (byte)'\\']);
    private static readonly SearchValues<char> EscapedChars = SearchValues.Create([.. Enumerable.Range(0, 32).Select(i => (char)i), '"', '\\']);

    private Span<byte> span;
    private int used;

    /// <summary>Hands all bytes to the writer.</summary>
    public void Flush()
    {
        if (used > 0) output.Advance(used);
        span = default;
        used = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Room(int count)
    {
        if (span.Length - used < count) Grow(count);
        return span[used..];
    }

    private void Grow(int count)
    {
        Flush();
        span = output.GetSpan(Math.Max(count, SmallestSpan));
    }

    /// <summary>One byte of structure.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(byte value)
    {
        Room(1)[0] = value;
        used++;
    }

    /// <summary>Bytes as they are.</summary>
    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > SmallestSpan)
        {
            bytes[..SmallestSpan].CopyTo(Room(SmallestSpan));
            used += SmallestSpan;
            bytes = bytes[SmallestSpan..];
        }
        bytes.CopyTo(Room(bytes.Length));
        used += bytes.Length;
    }

    /// <summary><c>"00100010":{"vr":"PN"</c></summary>
    public void WriteElementStart(uint tag, Vr vr)
    {
        const int length = 21;
        var room = Room(length)[..length];
        "\"00000000\":{\"vr\":\"UN\""u8.CopyTo(room);
        BinaryPrimitives.WriteUInt64BigEndian(room[1..], Hexadecimal(tag));
        room[18] = (byte)((ushort)vr >> 8);
        room[19] = (byte)vr;
        used += length;
    }

    /// <summary>Eight upper-case digits at once, the first in the highest byte.</summary>
    private static ulong Hexadecimal(uint value)
    {
        // One nibble to each byte, then '0' to each, and 7 more to those above 9.
        var nibbles = (ulong)value;
        nibbles = (nibbles | (nibbles << 16)) & 0x0000FFFF_0000FFFF;
        nibbles = (nibbles | (nibbles << 8)) & 0x00FF00FF_00FF00FF;
        nibbles = (nibbles | (nibbles << 4)) & 0x0F0F0F0F_0F0F0F0F;
        var letters = ((nibbles + 0x06060606_06060606) >> 4) & 0x01010101_01010101;
        return nibbles + 0x30303030_30303030 + (letters * 7);
    }

    /// <summary>A tag as a string.</summary>
    public void WriteTag(Tag tag)
    {
        Span<byte> text = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(text, Hexadecimal(tag.Value));
        WriteString(text);
    }

    /// <summary>A string of valid UTF-8.</summary>
    public void WriteString(scoped ReadOnlySpan<byte> utf8)
    {
        Write((byte)'"');
        while (utf8.IndexOfAny(EscapedBytes) is >= 0 and var at)
        {
            Write(utf8[..at]);
            WriteEscaped((char)utf8[at]);
            utf8 = utf8[(at + 1)..];
        }
        Write(utf8);
        Write((byte)'"');
    }

    /// <summary>A string.</summary>
    public void WriteString(scoped ReadOnlySpan<char> text)
    {
        Write((byte)'"');
        while (text.IndexOfAny(EscapedChars) is >= 0 and var at)
        {
            WriteRun(text[..at]);
            WriteEscaped(text[at]);
            text = text[(at + 1)..];
        }
        WriteRun(text);
        Write((byte)'"');
    }

    private void WriteRun(scoped ReadOnlySpan<char> text)
    {
        const int chunk = SmallestSpan / 3;
        while (text.Length > 0)
        {
            var count = Math.Min(text.Length, chunk);
            if (count < text.Length && char.IsHighSurrogate(text[count - 1])) count--;
            var written = Encoding.UTF8.GetBytes(text[..count], Room(count * 3)); // Room may start anew, so used is read after it
            used += written;
            text = text[count..];
        }
    }

    private void WriteEscaped(char c)
    {
        var room = Room(6);
        room[0] = (byte)'\\';
        var letter = c switch { '"' => '"', '\\' => '\\', '\n' => 'n', '\r' => 'r', '\t' => 't', _ => 'u' };
        room[1] = (byte)letter;
        if (letter != 'u')
        {
            used += 2;
            return;
        }
        ((int)c).TryFormat(room[2..6], out _, "X4", CultureInfo.InvariantCulture);
        used += 6;
    }

    /// <summary>A number.</summary>
    public void WriteNumber(long value)
    {
        value.TryFormat(Room(24), out var count, default, CultureInfo.InvariantCulture);
        used += count;
    }

    /// <summary>A number.</summary>
    public void WriteNumber(ulong value)
    {
        value.TryFormat(Room(24), out var count, default, CultureInfo.InvariantCulture);
        used += count;
    }

    /// <summary>A number by its shortest text that gives the same value again; what JSON has no number for as a string: NaN, Infinity, -Infinity.</summary>
    public void WriteNumber(float value)
    {
        if (float.IsFinite(value))
        {
            value.TryFormat(Room(32), out var count, default, CultureInfo.InvariantCulture);
            used += count;
        }
        else WriteNotFinite(value);
    }

    /// <summary>A number by its shortest text that gives the same value again; what JSON has no number for as a string: NaN, Infinity, -Infinity.</summary>
    public void WriteNumber(double value)
    {
        if (double.IsFinite(value))
        {
            value.TryFormat(Room(32), out var count, default, CultureInfo.InvariantCulture);
            used += count;
        }
        else WriteNotFinite(value);
    }

    private void WriteNotFinite(double value) => Write(double.IsNaN(value) ? "\"NaN\""u8 : value > 0 ? "\"Infinity\""u8 : "\"-Infinity\""u8);

    /// <summary>Base64 in a string, words of this size turned around when larger than 1.</summary>
    public void WriteBase64(scoped ReadOnlySpan<byte> bytes, int swappedWord)
    {
        const int chunk = 1536; // whole words of any size, whole groups of base64
        Span<byte> turned = stackalloc byte[swappedWord > 1 ? chunk : 0];
        Write((byte)'"');
        while (bytes.Length > 0)
        {
            scoped var part = bytes[..Math.Min(chunk, bytes.Length)];
            bytes = bytes[part.Length..];
            if (swappedWord > 1)
            {
                part.CopyTo(turned);
                for (var i = 0; i + swappedWord <= part.Length; i += swappedWord) turned.Slice(i, swappedWord).Reverse();
                part = turned[..part.Length];
            }
            Base64.EncodeToUtf8(part, Room(chunk / 3 * 4), out _, out var written);
            used += written;
        }
        Write((byte)'"');
    }
}
