using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;

namespace DicomServerless.Unit.Network;

/// <summary>What an acceptor does with good, bad and slow peers. Run on the pool, where continuations are inlined: see <see cref="Wire"/>.</summary>
public sealed class AssociationTests
{
    private static readonly Uid Sop = Uid.Parse("1.2.3");

    [Fact]
    public Task A_message_is_received_and_answered() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync);
        await wire.AssociateAsync();
        await wire.SendAsync(DimseCommand.CStore(1, Wire.Ct, Sop), dataSet: [1, 2, 3, 4]);
        Assert.Equal((CommandField.CStoreResponse, 4), ((await wire.ReadCommandAsync()) is { } r ? (r.Field, (int)r.Status) : default));
        await wire.WriteAsync("05 00 00000004 00000000");
        Assert.IsType<ReleaseResponse>(await wire.ReadAsync());
        wire.Close();
        await wire.Serving;
        Assert.Equal(State.Sta1Idle, wire.State);
    });

    [Fact]
    public Task A_data_set_longer_than_the_buffer_passes_through_it() => Task.Run(async () =>
    {
        var seen = 0L;
        await using var wire = new Wire(
            async association =>
            {
                var message = await association.ReceiveAsync(default);
                while (await message!.ReadDataSetAsync(default) is { IsEmpty: false } fragment)
                {
                    Assert.InRange(fragment.Length, 1, 8192);
                    foreach (var b in fragment.ToArray()) Assert.Equal((byte)(seen++ % 251), b);
                }
                await association.SendAsync(DimseCommand.Response(message.Command, 0), message.Context, default);
            },
            new() { ReceiveBufferSize = 4096 });
        await wire.AssociateAsync();
        await wire.SendAsync(DimseCommand.CStore(1, Wire.Ct, Sop), dataSet: [.. Enumerable.Range(0, 1_000_000).Select(i => (byte)(i % 251))]);
        await wire.ReadCommandAsync();
        Assert.Equal(1_000_000, seen);
    });

    [Fact]
    public Task Bytes_one_at_a_time_make_the_same_message() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync);
        foreach (var b in Wire.RequestBytes) await wire.WriteAsync(b);
        Assert.IsType<AssociateAccept>(await wire.ReadAsync());
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        CommandSet.Write(DimseCommand.CStore(1, Wire.Ct, Sop), true, bytes);
        foreach (var b in PduTests.Write(new DataTransfer([new(1, true, false, bytes.WrittenMemory[..20]), new(1, true, true, bytes.WrittenMemory[20..])])))
            await wire.WriteAsync(b);
        foreach (var b in PduTests.Write(
            new DataTransfer([new(1, false, false, new byte[] { 1, 2 }), new(1, false, false, default), new(1, false, true, default)])))
            await wire.WriteAsync(b);
        Assert.Equal(2, (await wire.ReadCommandAsync()).Status);
    });

    [Fact]
    public Task A_data_set_that_nobody_read_is_skipped() => Task.Run(async () =>
    {
        await using var wire = new Wire(async association =>
        {
            while (await association.ReceiveAsync(default) is { } message)
                await association.SendAsync(DimseCommand.Response(message.Command, 0), message.Context, default);
        });
        await wire.AssociateAsync();
        for (ushort id = 1; id < 4; id++)
        {
            await wire.SendAsync(DimseCommand.CStore(id, Wire.Ct, Sop), dataSet: new byte[100_000]);
            Assert.Equal(id, (await wire.ReadCommandAsync()).MessageIdBeingRespondedTo);
        }
    });

    [Theory]
    [InlineData("08 00 00000004 00000000", AbortReason.UnrecognizedPdu)]
    [InlineData("04 00 FFFFFFFF 00", AbortReason.InvalidPduParameterValue)]
    [InlineData("02 00 FFFFFFFF 00", AbortReason.InvalidPduParameterValue)]
    [InlineData("06 00 00000004 00000000", AbortReason.UnexpectedPdu)]
    [InlineData("03 00 00000004 00010101", AbortReason.UnexpectedPdu)]
    [InlineData("04 00 00000006 00000099 01 03", AbortReason.InvalidPduParameterValue)]
    [InlineData("04 00 00000006 00000002 01 00", AbortReason.UnexpectedPduParameter)]
    [InlineData("04 00 00000007 00000003 01 03 00", AbortReason.InvalidPduParameterValue)]
    public Task A_peer_that_breaks_the_protocol_is_aborted_with_the_reason(string hex, AbortReason reason) => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync);
        await wire.AssociateAsync();
        await wire.WriteAsync(hex);
        Assert.Equal(new Abort(AbortSource.ServiceProvider, reason), await wire.ReadAsync());
        wire.Close();
        var thrown = await Assert.ThrowsAsync<AssociationAbortedException>(() => wire.Serving);
        Assert.Equal((AbortCause.ProtocolError, reason), (thrown.Cause, thrown.Reason));
        Assert.Null(await wire.ReadAsync());
    });

    [Fact]
    public Task A_second_request_on_an_association_is_unexpected() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync);
        await wire.AssociateAsync();
        await wire.WriteAsync(Wire.RequestBytes);
        Assert.Equal(new Abort(AbortSource.ServiceProvider, AbortReason.UnexpectedPdu), await wire.ReadAsync());
    });

    [Theory]
    [InlineData("04 00 00000006 00000002 01 03")]
    [InlineData("05 00 00000004 00000000")]
    [InlineData("47 45 54 20 2F 20")]
    [InlineData("01 00 FFFFFFFF")]
    public Task Before_an_association_everything_but_a_request_is_aborted_as_the_table_says(string hex) => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync);
        await wire.WriteAsync(hex);
        // AA-1: the source is the service user, whose reason is not significant (PS3.8 9.3.8).
        Assert.Equal(new Abort(AbortSource.ServiceUser, AbortReason.NotSpecified), await wire.ReadAsync());
        wire.Close();
        await Assert.ThrowsAsync<AssociationAbortedException>(() => wire.Serving);
    });

    [Fact]
    public Task A_rejected_peer_gets_exactly_one_answer() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync, reject: RejectReason.CalledAeTitleNotRecognized);
        await wire.WriteAsync(Wire.RequestBytes);
        Assert.Equal(new AssociateReject(RejectReason.CalledAeTitleNotRecognized), await wire.ReadAsync());
        Assert.Equal(State.Sta13AwaitingClose, wire.State);
        wire.Close();
        await wire.Serving;
        Assert.Null(await wire.ReadAsync());
    });

    [Fact]
    public Task A_rejected_peer_that_does_not_close_is_closed_by_artim() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync, reject: RejectReason.TemporaryCongestion);
        await wire.WriteAsync(Wire.RequestBytes);
        await wire.ReadAsync();
        Assert.False(wire.Serving.IsCompleted);
        wire.Time.Advance(TimeSpan.FromSeconds(31));
        await wire.Serving;
        Assert.Equal(State.Sta1Idle, wire.State);
    });

    [Fact]
    public Task A_connection_without_a_request_is_closed_by_artim() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync);
        // A byte now and then does not help: ARTIM is for the whole of it.
        foreach (var b in Wire.RequestBytes[..29])
        {
            wire.Time.Advance(TimeSpan.FromSeconds(1));
            await wire.WriteAsync(b);
        }
        Assert.False(wire.Serving.IsCompleted);
        wire.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(AbortCause.Timeout, (await Assert.ThrowsAsync<AssociationAbortedException>(() => wire.Serving)).Cause);
        // AA-2 closes without a word.
        Assert.Null(await wire.ReadAsync());
    });

    [Fact]
    public Task A_request_that_drips_above_the_minimum_rate_is_closed_by_artim_all_the_same() => Task.Run(async () =>
    {
        // PS3.8 9.1.5: ARTIM is for the whole PDU; bytes earn time back only between established peers. A PDU of 60,000 bytes, of which 2,000 come each second.
        await using var wire = new Wire(ServeAsync);
        await wire.WriteAsync("01 00 0000EA60");
        var seconds = 0;
        for (; !wire.Serving.IsCompleted && seconds < 60; seconds++)
        {
            wire.Time.Advance(TimeSpan.FromSeconds(1.1));
            if (!wire.Serving.IsCompleted && seconds < 29) await wire.WriteAsync(new byte[2000]);
        }
        Assert.InRange(seconds, 27, 31);
        Assert.Equal(AbortCause.Timeout, (await Assert.ThrowsAsync<AssociationAbortedException>(() => wire.Serving)).Cause);
    });

    [Theory]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(16384)]
    public Task Fragments_fill_the_peers_maximum_length_and_never_exceed_it(int maximum) => Task.Run(async () =>
    {
        byte[] sent = [.. Enumerable.Range(0, (3 * maximum) + 10).Select(i => (byte)i)];
        foreach (var fromStream in new[] { false, true })
        {
            await using var wire = new Wire(async association =>
            {
                var command = DimseCommand.CStore(1, Wire.Ct, Sop);
                if (fromStream) await association.SendAsync(command, association.FindContext(Wire.Ct)!, new MemoryStream(sent), default);
                else await association.SendAsync(command, association.FindContext(Wire.Ct)!, sent, default);
                await association.ReceiveAsync(default);
            });
            await wire.WriteAsync(PduTests.Write(new AssociateRequest
            {
                CalledAeTitle = "SCP", CallingAeTitle = "SCU", Contexts = [new(1, Wire.Ct, [Wire.Explicit])], User = new UserInformation
                    { MaxPduLength = (uint)maximum },
            }));
            Assert.IsType<AssociateAccept>(await wire.ReadAsync());
            var (received, longest, isLast) = (new List<byte>(), 0, false);
            while (!isLast)
            {
                var values = Assert.IsType<DataTransfer>(await wire.ReadAsync()).Values;
                longest = Math.Max(longest, values.Sum(value => value.Data.Length + 6)); // PS3.8 9.3.1: what the maximum is of
                foreach (var value in values.Where(value => !value.IsCommand)) received.AddRange(value.Data.Span);
                isLast = values.Any(value => !value.IsCommand && value.IsLast);
            }
            Assert.Equal(maximum & ~1, longest);
            Assert.Equal(sent, received);
        }
    });

    [Fact]
    public Task An_idle_association_is_aborted() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync, new() { Idle = TimeSpan.FromMinutes(5) });
        await wire.AssociateAsync();
        wire.Time.Advance(TimeSpan.FromMinutes(4));
        await wire.SendAsync(DimseCommand.CEcho(1), context: 3);
        await wire.ReadCommandAsync();
        wire.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.True(wire.Association!.IsEstablished);
        wire.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(new Abort(AbortSource.ServiceProvider, AbortReason.NotSpecified), await wire.ReadAsync());
        wire.Close();
        Assert.Equal(AbortCause.Timeout, (await Assert.ThrowsAsync<AssociationAbortedException>(() => wire.Serving)).Cause);
    });

    [Fact]
    public Task A_peer_of_one_byte_a_second_is_aborted() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync);
        await wire.AssociateAsync();
        await wire.WriteAsync("04 00 00001000 00000FFC 01 01");
        var seconds = 0;
        for (; wire.Association!.IsEstablished && seconds < 100; seconds++)
        {
            wire.Time.Advance(TimeSpan.FromSeconds(1));
            await wire.WriteAsync(0);
        }
        Assert.InRange(seconds, 59, 62);
        Assert.Equal(new Abort(AbortSource.ServiceProvider, AbortReason.NotSpecified), await wire.ReadAsync());
    });

    [Fact]
    public Task A_slow_peer_above_the_minimum_rate_is_served() => Task.Run(async () =>
    {
        await using var wire = new Wire(ServeAsync);
        await wire.AssociateAsync();
        var pdu = PduTests.Write(new DataTransfer([new(1, true, true, Command(DimseCommand.CStore(1, Wire.Ct, Sop))), new(1, false, true, new byte[600_000])]));
        foreach (var part in pdu.Chunk(2048))
        {
            wire.Time.Advance(TimeSpan.FromSeconds(1));
            await wire.WriteAsync(part);
        }
        Assert.Equal(600_000 % 65536, (await wire.ReadCommandAsync()).Status);
    });

    [Fact]
    public Task A_slow_disk_of_ours_is_not_held_against_the_peer() => Task.Run(async () =>
    {
        var disk = new TaskCompletionSource();
        await using var wire = new Wire(async association =>
        {
            var message = await association.ReceiveAsync(default);
            await message!.ReadDataSetAsync(default);
            await disk.Task;
            while (!(await message.ReadDataSetAsync(default)).IsEmpty) { }
            await association.SendAsync(DimseCommand.Response(message.Command, 0), message.Context, default);
        });
        await wire.AssociateAsync();
        var pdu = PduTests.Write(new DataTransfer([new(1, true, true, Command(DimseCommand.CStore(1, Wire.Ct, Sop))), new(1, false, true, new byte[100])]));
        await wire.WriteAsync(pdu[..^50]);
        wire.Time.Advance(TimeSpan.FromHours(1));
        disk.SetResult();
        await wire.WriteAsync(pdu[^50..]);
        Assert.Equal(0, (await wire.ReadCommandAsync()).Status);
    });

    [Fact]
    public Task A_cancel_reaches_the_operation_that_runs() => Task.Run(async () =>
    {
        await using var wire = new Wire(async association =>
        {
            while (await association.ReceiveAsync(default) is { } message)
            {
                await message.ReadWholeDataSetAsync(1000, default);
                using var watch = association.WatchForCancel(message, default);
                await association.SendAsync(DimseCommand.Response(message.Command, DimseStatus.Pending), message.Context, new byte[] { 1, 2 }, default);
                await Task.Delay(Timeout.Infinite, watch.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await association.SendAsync(DimseCommand.Response(message.Command, watch.CancelRequested ? DimseStatus.Cancel : DimseStatus.ProcessingFailure),
                    message.Context, default);
            }
        });
        await wire.AssociateAsync();
        for (ushort id = 5; id < 8; id++)
        {
            await wire.SendAsync(DimseCommand.CFind(id, Wire.Ct), dataSet: [1, 2]);
            Assert.Equal(DimseStatus.Pending, (await wire.ReadCommandAsync()).Status);
            Assert.False(Assert.IsType<DataTransfer>(await wire.ReadAsync()).Values[0].IsCommand);
            // One for another message changes nothing.
            await wire.SendAsync(DimseCommand.CCancel(99));
            await wire.SendAsync(DimseCommand.CCancel(id));
            Assert.Equal(DimseStatus.Cancel, (await wire.ReadCommandAsync()).Status);
        }
    });

    [Fact]
    public Task A_peer_that_waits_for_a_long_operation_is_not_idle() => Task.Run(async () =>
    {
        var work = new TaskCompletionSource();
        await using var wire = new Wire(
            async association =>
            {
                while (await association.ReceiveAsync(default) is { } message)
                {
                    using var watch = association.WatchForCancel(message, default);
                    await work.Task;
                    await association.SendAsync(DimseCommand.Response(message.Command, 0), message.Context, default);
                }
            },
            new() { Idle = TimeSpan.FromMinutes(1) });
        await wire.AssociateAsync();
        await wire.SendAsync(DimseCommand.CMove(1, Wire.Ct, "DEST"));
        wire.Time.Advance(TimeSpan.FromHours(5));
        work.SetResult();
        Assert.Equal(0, (await wire.ReadCommandAsync()).Status);
        // Afterwards it is.
        wire.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.IsType<Abort>(await wire.ReadAsync());
    });

    [Fact]
    public Task The_end_of_the_association_cancels_the_operation_too() => Task.Run(async () =>
    {
        var ended = new TaskCompletionSource<bool>();
        await using var wire = new Wire(async association =>
        {
            var message = await association.ReceiveAsync(default);
            using var watch = association.WatchForCancel(message!, default);
            await Task.Delay(Timeout.Infinite, watch.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ended.SetResult(watch.CancelRequested);
            await association.ReceiveAsync(default);
        });
        await wire.AssociateAsync();
        await wire.SendAsync(DimseCommand.CFind(1, Wire.Ct), dataSet: [1, 2]);
        await wire.WriteAsync("07 00 00000004 00000000");
        Assert.False(await ended.Task);
        Assert.Equal(AbortCause.Peer, (await Assert.ThrowsAsync<AssociationAbortedException>(() => wire.Serving)).Cause);
    });

    [Fact]
    public Task A_c_get_stores_on_the_same_association_and_can_be_cancelled() => Task.Run(async () =>
    {
        await using var wire = new Wire(async association =>
        {
            while (await association.ReceiveAsync(default) is { } get)
            {
                await get.ReadWholeDataSetAsync(1000, default);
                using var watch = association.WatchForCancel(get, default);
                var done = 0;
                while (!watch.Token.IsCancellationRequested)
                {
                    var response = await association.StoreAsync(DimseCommand.CStore(association.NextMessageId(), Wire.Ct, Sop),
                        get.Context, new byte[] { 1, 2 }, default);
                    if (DimseStatus.IsDone(response.Status)) done++;
                }
                await association.SendAsync(DimseCommand.Response(get.Command, DimseStatus.Cancel, subOperations: new(1, done, 0, 0)), get.Context, default);
            }
        });
        await wire.AssociateAsync();
        await wire.SendAsync(DimseCommand.CGet(7, Wire.Ct), dataSet: [1, 2]);
        for (var i = 1; i <= 5; i++)
        {
            var store = await wire.ReadCommandAsync();
            Assert.Equal(CommandField.CStoreRequest, store.Field);
            await wire.ReadAsync();
            if (i == 5) await wire.SendAsync(DimseCommand.CCancel(7));
            await wire.SendAsync(DimseCommand.Response(store, 0));
        }
        var final = await wire.ReadCommandAsync();
        Assert.Equal((CommandField.CGetResponse, DimseStatus.Cancel, 5), (final.Field, final.Status, final.SubOperations!.Value.Completed));
    });

    [Fact]
    public Task An_association_that_is_left_is_aborted() => Task.Run(async () =>
    {
        await using var wire = new Wire(_ => Task.CompletedTask);
        await wire.AssociateAsync();
        Assert.Equal(new Abort(AbortSource.ServiceUser, AbortReason.NotSpecified), await wire.ReadAsync());
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task A_release_is_confirmed_only_if_what_was_acknowledged_holds(bool holds) => Task.Run(async () =>
    {
        await using var wire = new Wire(association =>
        {
            association.Releasing = () => Task.FromResult(holds);
            return ServeAsync(association);
        });
        await wire.AssociateAsync();
        await wire.WriteAsync("05 00 00000004 00000000");
        var answer = await wire.ReadAsync();
        if (holds) Assert.IsType<ReleaseResponse>(answer);
        else Assert.Equal(AbortSource.ServiceUser, Assert.IsType<Abort>(answer).Source);
        wire.Close();
        if (holds) await wire.Serving;
        else Assert.Equal(AbortCause.Local, (await Assert.ThrowsAsync<AssociationAbortedException>(() => wire.Serving)).Cause);
    });

    [Fact]
    public Task Releases_that_cross_end_both_sides() => Task.Run(async () =>
    {
        await using var wire = new Wire(async association => await association.ReleaseAsync(default));
        await wire.AssociateAsync();
        Assert.IsType<ReleaseRequest>(await wire.ReadAsync());
        // AR-8: the acceptor waits (Sta10) until the requestor has confirmed, then confirms itself (AR-10, AR-4).
        await wire.WriteAsync("05 00 00000004 00000000");
        Assert.Equal(State.Sta10CollisionAcceptor, wire.State);
        await wire.WriteAsync("06 00 00000004 00000000");
        Assert.IsType<ReleaseResponse>(await wire.ReadAsync());
        wire.Close();
        await wire.Serving;
        Assert.Equal(State.Sta1Idle, wire.State);
    });

    // The status is the number of bytes received, so that a test sees that none was lost.
    private static async Task ServeAsync(Association association)
    {
        while (await association.ReceiveAsync(default) is { } message)
        {
            var bytes = 0;
            while (await message.ReadDataSetAsync(default) is { IsEmpty: false } fragment) bytes += fragment.Length;
            await association.SendAsync(DimseCommand.Response(message.Command, (ushort)bytes), message.Context, default);
        }
    }

    private static byte[] Command(DimseCommand command)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        CommandSet.Write(command, true, bytes);
        return bytes.WrittenSpan.ToArray();
    }
}
