using System.Buffers.Binary;
using System.Net;
using System.Text;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Host;

/// <summary>Objects that are nothing but header: what the index makes of one takes many times its bytes, and many may come at once.</summary>
public sealed class HeaderMemoryTests
{
    private const int Requests = 16, ObjectsPerRequest = 4;

    [Fact]
    public async Task Many_large_headers_at_once_fit_into_the_memory_of_a_small_instance()
    {
        using var azurite = await Azurite.StartAsync();
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString, new Dictionary<string, string>
            { ["DOTNET_GCHeapHardLimit"] = "0x40000000" }); // 1 GiB
        using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(5) };
        var filler = Filler();
        var statuses = await Task.WhenAll(Enumerable.Range(1, Requests).Select(async request =>
        {
            var body = new MultipartContent("related", "b");
            body.Headers.ContentType!.Parameters.Add(new("type", "\"application/dicom\""));
            for (var i = 1; i <= ObjectsPerRequest; i++)
            {
                var part = new ByteArrayContent([.. TestObject.Of($"1.2.{request}", $"1.2.{request}.1", $"1.2.{request}.1.{i}").ToFile(), .. filler]);
                part.Headers.ContentType = new("application/dicom");
                body.Add(part);
            }
            using var answer = await client.PostAsync(functions.Url + "/dicomweb/studies", body);
            return (answer.StatusCode, Text: await answer.Content.ReadAsStringAsync());
        }));
        Assert.All(statuses, answer => Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{answer.StatusCode} {answer.Text} {functions.Output}"));
    }

    // 900,000 elements of two bytes in private groups that come behind all others.
    private static byte[] Filler()
    {
        const int groups = 15, elements = 60_000, size = 10;
        var bytes = new byte[groups * elements * size];
        var at = bytes.AsSpan();
        for (var group = 0; group < groups; group++)
            for (var element = 0; element < elements; element++, at = at[size..])
            {
                BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)(0x0031 + (2 * group)));
                BinaryPrimitives.WriteUInt16LittleEndian(at[2..], (ushort)(0x1000 + element));
                Encoding.ASCII.GetBytes("US", at[4..]);
                BinaryPrimitives.WriteUInt16LittleEndian(at[6..], 2);
                BinaryPrimitives.WriteUInt16LittleEndian(at[8..], (ushort)element);
            }
        return bytes;
    }
}
