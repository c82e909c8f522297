using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

public sealed class GatewayLifeTests
{
    [Fact]
    public async Task An_acknowledged_object_waits_over_a_kill_and_the_end_by_sigterm_is_clean()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(gateway, TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").DataSet(), "1.2.3.1.1"));
        gateway.Kill();
        await gateway.RestartAsync();
        Assert.Equal(1, GatewayProcess.Waiting(await gateway.StatusAsync()));
        Assert.Equal(0, await gateway.StopAsync());
    }
}
