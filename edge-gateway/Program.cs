namespace DicomServerless.EdgeGateway;

/// <summary>The application: every registration and every route.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        await using var app = builder.Build();
        await app.RunAsync();
        return 0;
    }
}
