using DicomServerless.Dicom.Web;
using System.Text;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functional.Media;

/// <summary>Multipart messages as senders write them (baselines: where other servers lose objects silently), in pieces of every size.</summary>
public sealed class MultipartReaderTests
{
    private const string CutOff = "<cut off>";

    public static TheoryData<string, string[]> Messages => new()
    {
        { "--b\r\nContent-Type: application/dicom\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", ["one", "two"] },
        { "--b\r\n\r\none\r\n--b--", ["one"] },                                          // nothing behind the end
        { "\r\n--b\r\n\r\none\r\n--b--\r\n", ["one"] },                                  // a line end in front
        { "pre\r\namble --b\r\n--bx\r\n--b\r\n\r\none\r\n--b--\r\nepilogue\r\n--b\r\n\r\nno", ["one"] },
        { "--b \t \r\n\r\none\r\n--b \t\r\n\r\ntwo\r\n--b-- \r\n", ["one", "two"] },     // padding
        { "--b\n\none!\n--b\nA: b\n\ntwo?\n--b--\n", ["one!", "two?"] },                 // LF only
        { "--b\n\none\r\n--b--\n", ["one\r"] },                                          // LF only: CR is content, since that makes the length even
        { "--b\n\none!\r\n--b--\n", ["one!"] },                                          // LF in front, CRLF behind
        { "--b\r\n\r\none\r\n\r\ntwo\r\n--b--\r\n", ["one\r\n\r\ntwo"] },                // empty lines in content
        { "--b\r\n\r\na\r\n--bc\r\n--\r\n-b\r\n --b\r\nx--b\r\n\n--b\r\n--b--\r\n", ["a\r\n--bc\r\n--\r\n-b\r\n --b\r\nx--b\r\n\n--b"] },
        { "--b\r\n\r\na\r\n--b x\r\n--b--\r\n", ["a\r\n--b x"] },                        // begins like a boundary, is none
        { "--b\r\n\r\na\r\n--b--x\r\n--b--\r\n", ["a\r\n--b--x"] },
        { "--b\r\n\r\n\r\n--b\r\n\r\n--b\r\nX: y\r\n\r\n\r\n--b--\r\n", ["", "", ""] },  // empty parts, with and without a line end of their own
        { "--b\r\n\r\none\r\n--b\r\n\r\ntwo", ["one", "two" + CutOff] },
        { "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--", ["one", "two\r\n--" + CutOff] },
        { "--b\r\n\r\none\r\n--b\r\n", ["one"] },                                        // ends with a boundary that lacks its hyphens
        { "--b\r\n\r\none\r\n--b", ["one"] },
        { "--b--\r\n", [] },
        { "--c\r\n\r\none\r\n--c--\r\n", [] },                                           // another boundary than was said
        { "", [] },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task Every_part_comes_out_whole_whatever_the_pieces(string message, string[] expected)
    {
        var bytes = Encoding.Latin1.GetBytes(message);
        foreach (var (pieces, reads) in new[] { (1, 1), (1, 100), (2, 3), (3, 2), (7, 5), (1000, 1), (1000, 4096) })
            Assert.Equal(expected, await ReadAsync(bytes, pieces, reads));
    }

    [Fact]
    public async Task Content_larger_than_the_buffer_with_boundaries_at_every_offset_of_it()
    {
        var random = new Random(1);
        for (var round = 0; round < 40; round++)
        {
            var content = new byte[(128 * 1024) - 60 + (round * 3)];
            random.NextBytes(content);
            // What begins like the boundary, near the end of the buffer.
            "\r\n--boundarX"u8.CopyTo(content.AsSpan(content.Length - 30));
            "\r\n--boundar"u8.CopyTo(content.AsSpan(content.Length - 11));
            byte[] message = [.. "--boundary\r\nContent-Type: application/dicom\r\n\r\n"u8, .. content, .. "\r\n--boundary\r\n\r\nlast\r\n--boundary--\r\n"u8];
            using var reader = new MultipartReader(new PiecesStream(message, 60_000 + round), "boundary");
            var part = await reader.ReadNextAsync(default);
            using var copy = new MemoryStream();
            await part!.Content.CopyToAsync(copy);
            Assert.Equal(content, copy.ToArray());
            part = await reader.ReadNextAsync(default);
            Assert.Equal("last", await TextAsync(part!.Content, 16));
            Assert.Null(await reader.ReadNextAsync(default));
        }
    }

    [Fact]
    public async Task A_part_that_is_not_read_is_skipped()
    {
        using var reader = new MultipartReader(
            new PiecesStream(Encoding.Latin1.GetBytes("--b\r\n\r\n" + new string('x', 300_000) + "\r\n--b\r\n\r\ntwo\r\n--b--"), 1000), "b");
        await reader.ReadNextAsync(default);
        Assert.Equal("two", await TextAsync((await reader.ReadNextAsync(default))!.Content, 9));
    }

    [Fact]
    public async Task Headers_are_read_without_case_folded_and_with_odd_spaces()
    {
        using var reader = new MultipartReader(
            new PiecesStream("--b\r\ncontent-TYPE :  application/dicom;\r\n transfer-syntax=1.2\r\nX-A:b\r\n\r\n\r\n--b--"u8.ToArray(), 3), "b");
        var part = await reader.ReadNextAsync(default);
        Assert.Null(part!.Problem);
        Assert.Equal("application/dicom; transfer-syntax=1.2", part.ContentType);
    }

    [Theory]
    [InlineData("no colon\r\n\r\n")]
    [InlineData("A: LONG\r\n\r\n")]
    public async Task Bad_headers_are_a_problem_of_their_part_alone(string headers)
    {
        var text = $"--b\r\n{headers.Replace("LONG", new string('x', 20_000))}one\r\n--b\r\n\r\ntwo\r\n--b--";
        using var reader = new MultipartReader(new PiecesStream(Encoding.Latin1.GetBytes(text), 4096), "b");
        Assert.NotNull((await reader.ReadNextAsync(default))!.Problem);
        var second = await reader.ReadNextAsync(default);
        Assert.Null(second!.Problem);
        Assert.Equal("two", await TextAsync(second.Content, 5));
    }

    [Fact]
    public async Task Headers_without_an_end_are_not_buffered()
    {
        using var reader = new MultipartReader(new PiecesStream([.. "--b\r\n"u8, .. new byte[10_000_000]], 4096), "b");
        var part = await reader.ReadNextAsync(default);
        Assert.Contains("longer than", part!.Problem);
        Assert.Null(await reader.ReadNextAsync(default));
    }

    private static async Task<string[]> ReadAsync(byte[] message, int pieces, int reads)
    {
        using var reader = new MultipartReader(new PiecesStream(message, pieces), "b");
        var parts = new List<string>();
        while (await reader.ReadNextAsync(default) is { } part)
        {
            Assert.Null(part.Problem);
            parts.Add(await TextAsync(part.Content, reads));
        }
        return [.. parts];
    }

    private static async Task<string> TextAsync(Stream content, int reads)
    {
        var text = new StringBuilder();
        var buffer = new byte[reads];
        try
        {
            for (int count; (count = await content.ReadAsync(buffer)) > 0;) text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        catch (InvalidDataException)
        {
            text.Append(CutOff);
        }
        return text.ToString();
    }

    private sealed class PiecesStream(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}
