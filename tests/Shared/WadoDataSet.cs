using System.Buffers.Binary;
using System.Net;

namespace DicomServerless.Shared;

/// <summary>Gets one object as it is stored and cuts off what is not its data set.</summary>
public static class WadoDataSet
{
    /// <summary>The bytes behind group 0002; null unless the server gave exactly one part.</summary>
    /// <param name="http">The client.</param>
    /// <param name="root">The DICOMweb base.</param>
    /// <param name="study">Study Instance UID.</param>
    /// <param name="series">Series Instance UID.</param>
    /// <param name="sop">SOP Instance UID.</param>
    public static async Task<byte[]?> GetAsync(HttpClient http, string root, string study, string series, string sop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{root}/studies/{study}/series/{series}/instances/{sop}");
        request.Headers.TryAddWithoutValidation("Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*");
        using var answer = await http.SendAsync(request);
        if (answer.StatusCode != HttpStatusCode.OK) return null;
        var body = await answer.Content.ReadAsByteArrayAsync();
        var begin = body.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        var end = body.AsSpan().LastIndexOf("\r\n--"u8);
        return DataSetOf(body[begin..end]);
    }

    /// <summary>A Part 10 file without preamble and group 0002, whose length stands in (0002,0000).</summary>
    public static byte[] DataSetOf(byte[] file) => file[(144 + BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(140)))..];
}
