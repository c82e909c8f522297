using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway.Http;

/// <summary>An archive that refuses objects whose SOP Instance UID ends with <c>.9</c>, until it is told to take them, and a gateway before it.</summary>
internal sealed class RefusingArchive : IAsyncDisposable
{
    private volatile bool takesAll;

    public ScriptedServer Server { get; private set; } = null!;
    public GatewayProcess Gateway { get; private set; } = null!;
    public HttpClient Client { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public static async Task<RefusingArchive> StartAsync(Dictionary<string, string>? settings = null)
    {
        var archive = new RefusingArchive();
        archive.Server = await ScriptedServer.StartAsync((request, context) =>
            ScriptedServer.AnswerAsync(context, request, sop => !archive.takesAll && sop.EndsWith(".9", StringComparison.Ordinal) ? 0xA900 : null));
        archive.Gateway = await GatewayProcess.StartAsync(archive.Server.Url, settings);
        archive.Client.BaseAddress = new Uri(archive.Gateway.Url);
        return archive;
    }

    public void TakeAll() => takesAll = true;

    /// <summary>Stores objects of a study with these last numbers, and waits until each is at the archive or in quarantine.</summary>
    public async Task StoreAsync(params int[] numbers)
    {
        await using (var association = await Modality.ConnectAsync(Gateway))
        {
            foreach (var number in numbers)
                Assert.Equal(0, await Modality.StoreAsync(association, TestObject.Of("1.2.840.9", "1.2.840.9.1", Sop(number)).DataSet(), Sop(number)));
            await association.ReleaseAsync(default);
        }
        await Gateway.WaitUntilDrainedAsync();
    }

    public static string Sop(int number) => $"1.2.840.9.1.{number}.9";

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Gateway.DisposeAsync();
        await Server.DisposeAsync();
    }
}
