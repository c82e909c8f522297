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
    private const int Results = 70, PageSize = 20, Bound = 10;

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
        Assert.Equal(Enumerable.Range(1, Results).Select(i => $"1.2.{i}"), found);
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
                "empty" => Results,
                _ => int.TryParse(query["limit"], null, out var limit) ? limit : PageSize,
            };
            var to = Math.Min(Results, from + count);
            if (to < Results)
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
