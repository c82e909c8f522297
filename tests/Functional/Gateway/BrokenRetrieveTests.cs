using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>The archive's answer to a retrieve breaks off or stands still within an object.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class BrokenRetrieveTests(AzuriteFixture azurite)
{
    private const int WithinTheSecond = 450_000, WithinEach = 150_000;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public async Task A_move_goes_on_over_a_new_association(int connections, bool stalls)
    {
        await using var place = await Place.StartAsync(azurite.ConnectionString);
        await using var destination = await TestScp.StartAsync(place.Port);
        place.Link.SpoilAnswers(connections, WithinTheSecond, stalls);
        var (end, failed) = await Query.MoveAsync(place.Gateway, place.Study, "MODALITY");
        Assert.Equal((0x0000, Place.Objects, 0), (end.Status, (int)end.SubOperations!.Value.Completed, failed.Length));
        Assert.Null(end.ErrorComment);
        Assert.Equal(0, place.Link.ToSpoil);
        for (var i = 1; i <= Place.Objects; i++) Assert.Equal(place.Object(i), destination.Stored[$"{place.Study}.1.{i}"]);
    }

    [Fact]
    public async Task A_move_of_which_nothing_comes_through_says_so()
    {
        await using var place = await Place.StartAsync(azurite.ConnectionString);
        await using var destination = await TestScp.StartAsync(place.Port);
        place.Link.SpoilAnswers(int.MaxValue, WithinEach);
        var (end, failed) = await Query.MoveAsync(place.Gateway, place.Study, "MODALITY");
        Assert.Equal((0xA702, Place.Objects), (end.Status, failed.Length));
        Assert.Contains("broke off", end.ErrorComment, StringComparison.Ordinal);
        Assert.Empty(destination.Stored);
    }

    [Fact]
    public async Task A_get_is_aborted_and_the_gateway_goes_on()
    {
        await using var place = await Place.StartAsync(azurite.ConnectionString);
        place.Link.SpoilAnswers(1, WithinTheSecond);
        await using (var association = await Modality.ConnectAsync(place.Gateway,
            new ContextProposal(WellKnownUids.StudyRootGet, [TransferSyntax.ExplicitVrLittleEndian.Uid]), Modality.Storage() with { AsScp = true }))
        {
            var command = DimseCommand.CGet(association.NextMessageId(), WellKnownUids.StudyRootGet);
            await association.SendAsync(command, association.FindContext(WellKnownUids.StudyRootGet)!,
                Query.Identifier("STUDY", Query.Study(place.Study)), default);
            await Assert.ThrowsAsync<AssociationAbortedException>(async () =>
            {
                while (await association.ReceiveAsync(default) is { } message)
                {
                    await message.ReadWholeDataSetAsync(1 << 20, default);
                    if (!message.Command.IsResponse)
                        await association.SendAsync(DimseCommand.Response(message.Command, DimseStatus.Success), message.Context, default);
                }
            });
        }
        await place.Gateway.UntilAsync(status => status.GetProperty("associations").GetArrayLength() == 0, "the association is gone");
        await place.Gateway.UntilSaysAsync("the archive broke off within an object");
        Assert.DoesNotContain("fault", place.Gateway.Output, StringComparison.OrdinalIgnoreCase);
        await using var destination = await TestScp.StartAsync(place.Port);
        Assert.Equal(0x0000, (await Query.MoveAsync(place.Gateway, place.Study, "MODALITY")).Command.Status);
    }

    /// <summary>A gateway before a link before the archive, which has a study of five objects of 300 KB.</summary>
    private sealed class Place : IAsyncDisposable
    {
        public const int Objects = 5;
        private const int PixelBytes = 300_000;

        public required FunctionsProcess Functions { get; init; }
        public required FaultyProxy Link { get; init; }
        public required GatewayProcess Gateway { get; init; }
        public required int Port { get; init; }
        public string Study { get; } = $"1.2.{Random.Shared.NextInt64()}";

        public static async Task<Place> StartAsync(string storage)
        {
            var (functions, port) = (await FunctionsProcess.StartAsync(storage), FreePorts.Next());
            var link = new FaultyProxy(functions.Port, 1);
            await link.HealAsync();
            var gateway = await GatewayProcess.StartAsync($"http://127.0.0.1:{link.Port}/dicomweb", new Dictionary<string, string>
            {
                ["Gateway__RemoteAes__MODALITY__Host"] = "127.0.0.1",
                    ["Gateway__RemoteAes__MODALITY__Port"] = $"{port}", ["Gateway__Query__TimeoutSeconds"] = "3",
            });
            var place = new Place { Functions = functions, Link = link, Gateway = gateway, Port = port };
            for (var i = 1; i <= Objects; i++) Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(gateway, place.Object(i), $"{place.Study}.1.{i}"));
            await gateway.WaitUntilDrainedAsync();
            return place;
        }

        public byte[] Object(int number) => GatewaySystem.Object(Study, number).Add(0x7FE00010, "OB", new byte[PixelBytes]).DataSet();

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Link.DisposeAsync();
            Functions.Dispose();
        }
    }
}
