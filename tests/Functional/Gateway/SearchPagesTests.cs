using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Query;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functional.Gateway;

/// <summary>How the gateway comes to the end of an archive's search results: by links where there are some, else by offsets.</summary>
public sealed class SearchPagesTests
{
    private const int Count = 70, PageSize = 20, Bound = 10;

    [Theory]
    // The first page is small, and its link would keep it so; the second is at an offset, the others by link.
    [InlineData("links", "limit=25&offset=0|limit=20&offset=25|cursor=45|cursor=65")]
    [InlineData("offsets", "limit=25&offset=0|limit=20&offset=25|limit=20&offset=45|limit=20&offset=65")]
    // One that stops at a bound of work says so by a page that is short, or empty: from there on only the link leads.
    [InlineData("bound", "limit=25&offset=0|cursor=10|cursor=20|cursor=30|cursor=40|cursor=50|cursor=60")]
    [InlineData("empty", "limit=25&offset=0|cursor=0")]
    // Neither to another resource nor round in a circle.
    [InlineData("foreign", "limit=25&offset=0|limit=20&offset=25|limit=20&offset=45|limit=20&offset=65")]
    [InlineData("circle", "limit=25&offset=0|limit=20&offset=25|cursor=45|limit=20&offset=65")]
    public async Task All_results_come_once_in_few_requests(string kind, string expected)
    {
        var asked = new List<string>();
        await using var archive = await StartAsync(kind, asked);
        using var client = new DestinationClient(new DestinationOptions { Url = archive.Urls.Single() }, TimeProvider.System);
        var found = new List<string>();
        await foreach (var result in new ArchiveClient(client, PageSize, TimeSpan.FromSeconds(60)).SearchAsync("studies", [], [], false, default))
            found.Add(result.GetString(Tags.StudyInstanceUID)!);
        Assert.Equal(expected.Split('|'), asked);
        Assert.Equal(Enumerable.Range(1, Count).Select(i => $"1.2.{i}"), found);
    }

    /// <summary>Of an answer that nobody can read, or not all of, nobody may conclude that there is nothing.</summary>
    [Theory]
    [InlineData("""{"error":"session expired"}""", 0, "no list of results")]
    [InlineData("\"login\"", 0, "no list of results")]
    [InlineData("null", 0, "no list of results")]
    [InlineData("""[{"0020000D":{"vr":"UI","Value":["1.2.1"]}},{"0020000D":{"Value":"M"}},{"0020000D":{"vr":"UI","Value":["1.2.3"]}}]""", 2,
        "1 of the archive's")]
    [InlineData("""[{"no tag":{"vr":"UI","Value":["1.2.1"]}}]""", 0, "1 of the archive's")]
    public async Task An_answer_that_cannot_be_read_is_a_failure(string body, int readable, string problem)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var archive = builder.Build();
        archive.Urls.Add("http://127.0.0.1:0");
        archive.MapGet("/studies", () => Results.Text(body, "application/dicom+json"));
        await archive.StartAsync();
        using var client = new DestinationClient(new DestinationOptions { Url = archive.Urls.Single() }, TimeProvider.System);
        var found = 0;
        var failure = await Assert.ThrowsAsync<ArchiveException>(async () =>
        {
            await foreach (var _ in new ArchiveClient(client, PageSize, TimeSpan.FromSeconds(60)).SearchAsync("studies", [], [], false, default)) found++;
        });
        Assert.Contains(problem, failure.Message, StringComparison.Ordinal);
        Assert.Equal(readable, found);
    }

    private static async Task<WebApplication> StartAsync(string kind, List<string> asked)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGet("/studies", async context =>
        {
            asked.Add(context.Request.QueryString.Value!.TrimStart('?'));
            var query = context.Request.Query;
            var from = int.Parse(query.TryGetValue("cursor", out var cursor) ? cursor.ToString() : query["offset"].ToString(), null);
            var isStart = kind == "empty" && cursor.Count == 0;
            var count = isStart ? 0 : kind switch
            {
                "bound" => Bound,
                "empty" => Count,
                _ => int.TryParse(query["limit"], null, out var limit) ? limit : PageSize,
            };
            var to = Math.Min(Count, from + count);
            if (to < Count)
            {
                context.Response.Headers.Append("Warning", "299 archive: There are additional results that can be requested");
                var (path, next) = kind == "foreign" ? ("series", to) : kind == "circle" && cursor.Count > 0 ? ("studies", from) : ("studies", to);
                if (kind != "offsets")
                    context.Response.Headers.Append("Link",
                        $"<https://elsewhere.example.org/other>; rel=\"help\", <https://pacs.example.org/dicomweb/{path}?cursor={next}>; rel=\"next\"");
            }
            if (to == from) context.Response.StatusCode = 204;
            else
                await context.Response.WriteAsync("[" + string.Join(',',
                    Enumerable.Range(from + 1, to - from).Select(i => "{\"0020000D\":{\"vr\":\"UI\",\"Value\":[\"1.2." + i + "\"]}}")) + "]");
        });
        await app.StartAsync();
        return app;
    }
}
